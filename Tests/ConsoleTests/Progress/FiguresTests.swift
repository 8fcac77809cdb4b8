import Testing

@testable import Console

@Suite struct FiguresTests {
    @Test(arguments: [
        (0, "0"), (999, "999"), (999.6, "1.00k"), (1234, "1.23k"), (12_345, "12.3k"), (999_499, "999k"),
        (999_500, "1.00M"), (123_456_789, "123M"), (2e18, "2000P"),
    ])
    func shortensNumbers(_ value: Double, _ expected: String) {
        #expect(Figures.compact(value) == expected)
    }

    @Test(arguments: [(0, "0 B"), (1023, "1023 B"), (1024, "1.00 kB"), (25_463_163, "24.3 MB"), (3e9, "2.79 GB")])
    func namesSizes(_ bytes: Double, _ expected: String) {
        #expect(Figures.size(bytes) == expected)
    }

    @Test(arguments: [(0, "0:00"), (42, "0:42"), (3599, "59:59"), (3723, "1:02:03"), (360_000, "4d 4h")])
    func namesTimes(_ seconds: Int, _ expected: String) {
        #expect(Figures.clock(.seconds(seconds)) == expected)
    }

    @Test func writesDigits() {
        #expect(Figures.fixed(1.005, 1) == "1.0")
        #expect(Figures.fixed(0.96, 1) == "1.0")
        #expect(Figures.fixed(-0.04, 1) == "0.0")
        #expect(Figures.fixed(12.3456, 3) == "12.346")
        #expect(Figures.fixed(.infinity, 1) == "?")
        #expect(Figures.count(1, "row") == "1 row")
        #expect(Figures.count(0, "row") == "0 rows")
    }
}
