import Testing

@testable import Postgres

struct PoolSettingsTests {
    @Test func defaultsAreValid() throws {
        #expect(try PoolSettings().validated() == PoolSettings())
    }

    @Test(arguments: [
        ("max", "0", "an integer from 1 to 10000"),
        ("min", "11", "an integer from 0 to max, which is 10"),
        ("max_waiting", "-1", "an integer of at least 0"),
        ("max_lifetime", "-1 s", "a duration of at least 0"),
        ("connect_timeout", "0 s", "a duration above 0"),
    ])
    func invalidValueIsNamed(name: String, value: String, expected: String) {
        var settings = PoolSettings()
        switch name {
        case "max": settings.max = 0
        case "min": settings.min = 11
        case "max_waiting": settings.maxWaiting = -1
        case "max_lifetime": settings.maxLifetime = .seconds(-1)
        default: settings.connectTimeout = .zero
        }

        #expect(throws: PoolError.invalidOption(name: name, value: value, expected: expected)) {
            try settings.validated()
        }
    }

    @Test func histogramQuantilesAreRightWithinAQuarter() throws {
        var histogram = LatencyHistogram()
        for value in 1...1000 { histogram.record(Int64(value) * 1000) }
        let median = try #require(histogram.quantile(0.5)).wholeNanoseconds
        let last = histogram.quantile(1)

        #expect(median >= 500_000 && median <= 625_000)
        #expect(last == .nanoseconds(1_000_000))
        #expect(LatencyHistogram().quantile(0.5) == nil)
    }

    @Test func deadlockErrorSaysWhatHelps() {
        let error = PoolError.selfDeadlock(
            max: 1, holders: [PoolTimeout.Holder(site: "shop.lua:12", age: .seconds(1.5))])

        #expect(
            error.description == "waiting for a connection that only waiting tasks could give back: max is 1, "
                + "held by shop.lua:12 (1.5 s)")
        #expect(error.hint != nil)
    }
}
