import Testing

@testable import Scripting

@Suite struct ValuesTimeTests {
    private func time(_ text: String) throws -> TimeValue {
        try TimeValue(text: text)
    }

    @Test(arguments: [
        "2024-02-29", "0001-01-01", "0044-03-15 BC", "4713-01-01 BC", "10000-01-01", "2024-02-29 23:59:59.999999",
        "2024-01-02 03:04:05", "2024-01-02 03:04:05.5+00", "2024-01-02 03:04:05+05:30", "1890-01-01 00:00:00-00:17:30",
        "0044-03-15 12:00:00+00 BC", "infinity", "-infinity", "00:00:00", "24:00:00", "23:59:59.000001", "1 year",
        "-1 years", "1 year 2 mons 3 days 04:05:06.789", "-1 years -2 mons +3 days -04:05:06", "3 days",
        "1 mon -1 days",
        "-1 days +02:03:00", "100:00:00", "-00:00:01.5", "-3 days -00:00:00.000001",
    ])
    func keepsPostgreSQLsTextForm(text: String) throws {
        #expect(try time(text).description == text)
    }

    @Test(arguments: [
        ("2024-01-02T03:04:05Z", "2024-01-02 03:04:05+00"), ("P1Y2M3DT4H5M6.5S", "1 year 2 mons 3 days 04:05:06.5"),
        ("P-1Y", "-1 years"), ("PT-1.5S", "-00:00:01.5"), ("-P1D", "-1 days"), ("2 weeks", "14 days"),
        ("1.5 days", "1 day 12:00:00"), ("90 minutes", "01:30:00"), ("1 hour ago", "-01:00:00"),
        ("1 day 2 hours", "1 day 02:00:00"),
        ("2024-01-02 03:04:05-0330", "2024-01-02 03:04:05-03:30"), ("1.5 years", "1 year 6 mons"),
        ("250 ms", "00:00:00.25"),
    ])
    func readsOtherForms(text: String, expected: String) throws {
        #expect(try time(text).description == expected)
    }

    @Test(arguments: [
        "", "2024-1-2", "2024-13-01", "2023-02-29", "2024-01-02 25:00:00", "2024-01-02 10:60:00", "yesterday",
        "1 fortnight",
        "P", "PT", "P1H", "2024-01-02 03:04:05+", "2024-01-02x", "12", "0000-01-01", "1 year 2", "999999999999 days",
        "300000-01-01",
    ])
    func refusesWhatIsNoTime(text: String) {
        #expect(throws: TimeError.self) { try time(text) }
    }

    @Test(arguments: [
        ("2024-01-31", "1 mon", "2024-02-29"), ("2023-01-31", "1 mon", "2023-02-28"),
        ("2024-02-29", "1 year", "2025-02-28"),
        ("2024-03-31", "-1 mons", "2024-02-29"), ("2024-01-01", "01:00:00", "2024-01-01 01:00:00"),
        ("2024-12-31 23:59:59.999999", "00:00:00.000001", "2025-01-01 00:00:00"), ("23:30:00", "01:00:00", "00:30:00"),
        ("2024-01-01 00:30:00+02", "1 day", "2024-01-02 00:30:00+02"), ("infinity", "1 day", "infinity"),
        ("1 mon", "1 day", "1 mon 1 day"), ("0001-01-01", "-1 days", "0001-12-31 BC"),
        ("2024-01-01", "12:00:00", "2024-01-01 12:00:00"),
    ])
    func addsAsPostgreSQLDoes(left: String, right: String, sum: String) throws {
        #expect(try time(left).adding(time(right)).description == sum)
    }

    @Test(arguments: [
        ("2024-03-01", "2024-02-01", "29 days"), ("2024-01-02 03:00:00", "2024-01-01 04:00:00", "23:00:00"),
        ("2024-01-01 00:00:00+02", "2024-01-01 00:00:00+00", "-02:00:00"), ("2024-03-31", "1 mon", "2024-02-29"),
        ("10:00:00", "12:00:00", "-02:00:00"),
    ])
    func subtractsAsPostgreSQLDoes(left: String, right: String, difference: String) throws {
        #expect(try time(left).subtracting(time(right)).description == difference)
    }

    @Test func comparesWithinAKind() throws {
        #expect(try time("2024-01-01 00:00:00+02").compared(to: time("2023-12-31 22:00:00+00")) == 0)
        #expect(try time("1 mon").compared(to: time("30 days")) == 0)
        #expect(try time("-infinity").compared(to: time("0001-01-01 00:00:00")) == -1)
        #expect(try time("2024-01-01").compared(to: time("2024-01-01 00:00:01")) == -1)
        #expect(throws: TimeError.unsupported(operation: "compare", "timestamp", "timestamptz")) {
            try time("2024-01-01 00:00:00").compared(to: time("2024-01-01 00:00:00+00"))
        }
    }

    @Test func formatsAsStrftime() throws {
        let value = try time("2024-02-05 13:04:05.006789+05:30")
        let formatter = try TimeFormatter(value)

        #expect(try formatter.format("%Y-%m-%dT%H:%M:%S.%f%z") == "2024-02-05T13:04:05.006789+0530")
        #expect(
            try formatter.format("%a %A %b %B %e %j %y %I%p %u %w %L %s %%")
                == "Mon Monday Feb February  5 036 24 01PM 1 1 006 1707118445 %")
        #expect(throws: TimeError.unknownFormat("%Q")) { try formatter.format("%Q") }
        #expect(throws: TimeError.self) { try TimeFormatter(time("1 day")) }
    }

    @Test func truncatesToAUnit() throws {
        let value = try time("2024-08-15 13:04:05.5+02")
        let expected = [
            "year": "2024-01-01 00:00:00+02", "month": "2024-08-01 00:00:00+02", "week": "2024-08-12 00:00:00+02",
            "day": "2024-08-15 00:00:00+02", "hour": "2024-08-15 13:00:00+02", "minute": "2024-08-15 13:04:00+02",
            "second": "2024-08-15 13:04:05+02",
        ]
        for (unit, text) in expected { #expect(value.truncated(to: unit)?.description == text) }
        #expect(value.truncated(to: "century") == nil)
    }

    @Test func countsDaysBothWays() {
        for days in stride(from: -2_400_000, through: 100_000_000, by: 9_973) {
            #expect(CivilDate(days: days).days == days)
        }
    }

    @Test func refusesWhatIsOutOfRange() throws {
        #expect(throws: TimeError.outOfRange) { try time("294246-12-31").adding(time("1 day")) }
        #expect(throws: TimeError.outOfRange) { try time("4713-01-01 BC").subtracting(time("1 day")) }
        #expect(throws: TimeError.outOfRange) { try time("2024-01-01").adding(days: .max) }
        #expect(throws: TimeError.outOfRange) { try time("2000000000 days").adding(time("2000000000 days")) }
    }
}
