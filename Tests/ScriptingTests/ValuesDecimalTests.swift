import Testing

@testable import Scripting

@Suite struct ValuesDecimalTests {
    private func decimal(_ text: String) throws -> Decimal {
        try #require(Decimal(text), "\(text)")
    }

    private func binary(_ value: Decimal) -> [UInt8] {
        var bytes: [UInt8] = []
        value.appendBinary(to: &bytes)
        return bytes
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test(arguments: ValuesDecimalFixture.lines.split(separator: "\n").map(String.init))
    func computesWhatPostgreSQLComputes(line: String) throws {
        let field = line.split(separator: " ").map(String.init)
        let a = try decimal(field[0])
        let b = try decimal(field[1])

        #expect(a.description == field[0])
        #expect(try a.adding(b).description == field[2])
        #expect(try a.subtracting(b).description == field[3])
        #expect(try a.multiplied(by: b).description == field[4])
        if field[5] == "error" {
            #expect(throws: DecimalError.divisionByZero) { try a.divided(by: b) }
        } else {
            #expect(try a.divided(by: b).description == field[5])
        }
        #expect(a.compared(to: b).signum() == Int(field[6]))
        #expect(try a.rounded(to: 1).description == field[7])
        #expect(try a.truncated(to: -1).description == field[8])
        // PostgreSQL sends a leftover in the scale of NaN and infinities, and ignores it.
        #expect(hex(binary(a)).prefix(a.isFinite ? .max : 12) == field[9].prefix(a.isFinite ? .max : 12))
        let read = try binary(a).withUnsafeBytes { bytes in try Decimal(binary: bytes) }
        #expect(read.description == field[0])
    }

    @Test(arguments: [
        ("1e3", "1000"), ("1.5e1", "15"), ("1.5E-3", "0.0015"), (" 12 ", "12"), ("+7", "7"), (".5", "0.5"), ("5.", "5"),
        ("-inf", "-Infinity"), ("nan", "NaN"), ("-0", "0"), ("-0.00", "0.00"), ("0e999999999999", "0"),
        ("170141183460469231731687303715884105728", "170141183460469231731687303715884105728"),
        ("-170141183460469231731687303715884105728", "-170141183460469231731687303715884105728"),
    ])
    func readsWhatPostgreSQLReads(text: String, expected: String) throws {
        #expect(try decimal(text).description == expected)
    }

    @Test(arguments: ["", " ", ".", "-", "1..2", "1e", "0x10", "12a", "1 2", "-NaN", "infinit", "1e200000", "1e-20000"])
    func refusesWhatIsNoNumber(text: String) {
        #expect(Decimal(text) == nil)
    }

    @Test func staysWithinPostgreSQLsLimits() throws {
        let huge = try decimal("1e131071")

        #expect(throws: DecimalError.outOfRange) { try huge.multiplied(by: Decimal(10)) }
        #expect(throws: DecimalError.outOfRange) { try decimal("1e-9000").multiplied(by: decimal("1e-9000")) }
        #expect(try huge.adding(Decimal(1)).integerDigits == 131_072)
    }

    @Test func comparesAndHashesByValue() throws {
        let values = try [decimal("1.50"), decimal("1.5"), decimal("1.500000")]

        #expect(Set(values).count == 1)
        #expect(try decimal("1e40") == decimal("10000000000000000000000000000000000000000.000"))
        #expect(try decimal("1e40").hashValue == decimal("10000000000000000000000000000000000000000.000").hashValue)
        #expect(try decimal("NaN") > decimal("Infinity"))
        #expect(try decimal("-0.00") == decimal("0"))
    }

    @Test func givesTheNearestDouble() throws {
        #expect(try decimal("0.1").doubleValue == 0.1)
        #expect(try decimal("123456789012345678901234567890.5").doubleValue == 123456789012345678901234567890.5)
        #expect(try decimal("1e400").doubleValue == .infinity)
        #expect(try decimal("NaN").doubleValue.isNaN)
    }

    @Test func tellsExactIntegers() throws {
        #expect(try decimal("9223372036854775807.000").exactInteger == .max)
        #expect(try decimal("9223372036854775808").exactInteger == nil)
        #expect(try decimal("1.5").exactInteger == nil)
        #expect(try decimal("0e-16000").exactInteger == 0)
    }

    @Test(arguments: [
        ("7", "2", "3", "1"), ("-7", "2", "-4", "1"), ("7", "-2", "-4", "-1"), ("5.5", "0.5", "11", "0.0"),
    ])
    func floorsAsLuaDoes(a: String, b: String, quotient: String, rest: String) throws {
        #expect(try decimal(a).floorDivided(by: decimal(b)).description == quotient)
        #expect(try decimal(a).modulo(decimal(b)).description == rest)
    }

    @Test func roundsHalfAwayFromZero() throws {
        #expect(try decimal("2.5").rounded(to: 0).description == "3")
        #expect(try decimal("-2.5").rounded(to: 0).description == "-3")
        #expect(try decimal("1.5").rounded(to: 3).description == "1.500")
        #expect(try decimal("1250").rounded(to: -2).description == "1300")
        #expect(try decimal("49").rounded(to: -2).description == "0")
    }

    @Test func refusesDamagedBinary() throws {
        let bytes = binary(try decimal("12345.678"))
        for count in 0..<bytes.count {
            #expect(throws: DecimalError.self) {
                try bytes.prefix(count).withUnsafeBytes { part in try Decimal(binary: part) }
            }
        }
        var damaged = bytes
        damaged[8] = 0xFF
        #expect(throws: DecimalError.damagedBinary("group 65281")) {
            try damaged.withUnsafeBytes { all in try Decimal(binary: all) }
        }
    }
}
