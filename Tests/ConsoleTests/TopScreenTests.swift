import PostgresProtocol
import Testing

@testable import Console
@testable import Scripting

@Suite struct TopScreenTests {
    private static func document(_ figures: RunFigures) throws -> RunDocument {
        try #require(RunDocument(figures.json))
    }

    private func lines(
        width: Int = 120, height: Int = 30, order: TopScreen.Order = .rate, offset: Int = 0,
        _ before: RunFigures? = nil, _ now: RunFigures = RunFiguresFixture.figures()
    ) throws -> [String] {
        var screen = TopScreen(width: width, height: height, palette: .plain)
        (screen.order, screen.offset) = (order, offset)
        let document = try Self.document(now)
        return screen.lines(document, RunRates(try before.map(Self.document), document))
    }

    @Test func showsRatesBetweenTwoLooks() throws {
        let before = RunFiguresFixture.figures(
            uptime: .seconds(8),
            tables: [RunFiguresFixture.table(rows: 400, inserted: 20, function: .milliseconds(100))], changes: 30)

        let lines = try lines(before)

        #expect(lines[0].contains("/home/ann/shop.lua · pid 4711 · up 0:10 · 32.0 MB · cpu 50%"))
        #expect(lines[1].contains("shop: streaming · 20 changes/s, 0 tx/s · lag 2.00 kB (1.5 s) · heartbeat 3.0 ms"))
        let table = try #require(lines.first { $0.hasPrefix("public.customers") })
        #expect(
            table.split(separator: " ").map(String.init)
                == ["public.customers", "copied", "1.00k", "100%", "300", "70", "10", "5%", "2"])
        #expect(lines.contains { $0.contains("source 2/8 in use, 4 waiting") })
        #expect(lines.contains { $0.contains("last error of shop: [RH2001] gone") })
        #expect(lines.contains { $0.contains("12:00:02 warning: a \"quoted\"") })
    }

    @Test func aCopySaysHowLongItTakes() throws {
        func look(_ rows: Int, at uptime: Duration) -> RunFigures {
            var table = RunFiguresFixture.table("large", rows: rows)
            (table.state, table.estimatedRows) = (.copying, 7_000)
            var figures = RunFiguresFixture.figures(uptime: uptime, tables: [table, RunFiguresFixture.table()])
            figures.pipelines[0].phase = .copying
            figures.pipelines[0].stream = nil
            return figures
        }

        let lines = try lines(look(400, at: .seconds(8)), look(1000, at: .seconds(10)))

        #expect(
            lines.contains { $0.contains("shop: copying · 1 of 2 tables done · 300 rows/s · 0:20 left") }, "\(lines)")
    }

    @Test func oneLookHasNoRates() throws {
        let lines = try lines()

        #expect(!lines.joined().contains("changes/s, "))
        #expect(!lines[0].contains("cpu"))
    }

    @Test func anotherProcessIsNoEarlierLook() throws {
        var before = RunFiguresFixture.figures(uptime: .seconds(8))
        before.processID = 1

        #expect(try !lines(before)[0].contains("cpu"))
    }

    @Test(arguments: [20, 40, 60, 80, 120], [3, 8, 24]) func fitsIntoTheWindow(width: Int, height: Int) throws {
        let tables = (1...50).map { RunFiguresFixture.table("a_rather_long_name_for_a_table_\($0)") }
        let before = RunFiguresFixture.figures(uptime: .seconds(8), tables: tables)

        let lines = try lines(width: width, height: height, before, RunFiguresFixture.figures(tables: tables))

        #expect(lines.count <= height)
        #expect(lines.allSatisfy { TerminalText.width(of: $0) <= width }, "\(lines.joined(separator: "\n"))")
    }

    @Test func goesDownAndSorts() throws {
        let tables = (1...9).map { RunFiguresFixture.table("t\($0)", rows: 1000 * $0) }
        let before = RunFiguresFixture.figures(
            uptime: .seconds(8), tables: (1...9).map { RunFiguresFixture.table("t\($0)", rows: 0) })
        let now = RunFiguresFixture.figures(tables: tables)

        func names(_ order: TopScreen.Order, offset: Int = 0, height: Int = 40) throws -> [String] {
            try lines(height: height, order: order, offset: offset, before, now).filter { $0.hasPrefix("public.") }
                .map { String($0.prefix { $0 != " " }.dropFirst(7)) }
        }

        #expect(try names(.rate).first == "t9")
        #expect(try names(.name).first == "t1")
        #expect(try names(.name, offset: 4, height: 13).prefix(2) == ["t5", "t6"])
        #expect(try names(.name, offset: 100, height: 13).last == "t9")
    }

    @Test func namesCannotMoveTheCursor() throws {
        let figures = RunFiguresFixture.figures(tables: [RunFiguresFixture.table("evil\u{1B}[2J")])

        #expect(try !lines(nil, figures).joined().contains("\u{1B}"))
    }
}
