import Testing

@testable import Console

@Suite struct LimitListTests {
    @Test func readsTimeAndMemory() throws {
        let limits = try LimitList("time=1.5s,memory=64MB")

        #expect(limits.time == .milliseconds(1500))
        #expect(limits.memory == 64 << 20)
    }

    @Test func readsEitherAndLeavesTheOther() throws {
        #expect(try LimitList("time=0").time == .zero)
        #expect(try LimitList("time=0").memory == nil)
        #expect(try LimitList("memory=0").memory == 0)
    }

    @Test(arguments: [
        ("500ms", Duration.milliseconds(500)), ("10", .seconds(10)), ("2m", .seconds(120)), ("1h", .seconds(3600)),
    ])
    func knowsUnitsOfTime(_ text: String, _ expected: Duration) {
        #expect(LimitList.duration(text[...]) == expected)
    }

    @Test(arguments: [("100", 100), ("1kB", 1024), ("1.5MB", 1_572_864), ("2GB", 2 << 30), ("2gb", 2 << 30)])
    func knowsUnitsOfMemory(_ text: String, _ expected: Int) {
        #expect(LimitList.bytes(text[...]) == expected)
    }

    @Test(arguments: ["", "time", "time=", "time=x", "time=-1", "time=1s,", "speed=1", "memory=1TB", "memory=1e3"])
    func refusesAnythingElse(_ text: String) {
        #expect(throws: (any Error).self) { try LimitList(text) }
    }
}
