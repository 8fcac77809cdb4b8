import PostgresProtocol
import Testing

@testable import Console
@testable import Scripting

@Suite struct ProgressBlockTests {
    private func table(
        _ name: String, _ state: PipelineProgress.Table.State, rows: Int, of estimated: Int? = nil, chunks: Int = 1
    ) -> PipelineProgress.Table {
        let name = QualifiedName(schema: "public", name: name)
        return PipelineProgress.Table(
            source: name, target: name, state: state, rows: rows, estimatedRows: estimated, bytes: rows * 1024,
            chunksDone: 0, chunks: chunks)
    }

    private func pipeline(
        _ tables: [PipelineProgress.Table], phase: PipelineProgress.Phase = .copying, note: String? = nil
    ) -> PipelineProgress {
        PipelineProgress(
            pipeline: "shop", phase: phase, note: note, elapsed: .seconds(1), tables: tables, stepsDone: 1, steps: 4)
    }

    /// After `seconds`, in which all rows were copied.
    private func lines(
        _ progress: [PipelineProgress], width: Int = 80, height: Int = 24, seconds: Int = 2, unicode: Bool = false
    ) -> [String] {
        var meter = ProgressMeter()
        var empty = progress
        for index in empty.indices {
            for table in empty[index].tables.indices {
                empty[index].tables[table].rows = 0
                empty[index].tables[table].bytes = 0
            }
        }
        meter.note(empty, at: .zero)
        meter.note(progress, at: .seconds(seconds))
        let block = ProgressBlock(width: width, height: height, palette: .plain, showsUnicode: unicode)
        return block.lines(progress, meter)
    }

    @Test func showsTablesThenAllThenWhatGoesOn() {
        let shown = lines([
            pipeline([
                table("customers", .copying, rows: 50_000, of: 100_000),
                table("orders", .waiting, rows: 0, of: 100_000),
                table("old", .kept, rows: 100_000),
            ])
        ])

        #expect(
            shown == [
                "public.customers  ######------   50%  50.0k rows  25.0k/s  24.4 MB/s  0:02 left",
                "shop              ######------   50%   150k rows  75.0k/s  73.2 MB/s  0:02 left",
                "shop: 1 of 3 tables done",
            ])
    }

    @Test(arguments: [100, 80, 60, 50, 40, 30, 20, 12, 6, 2])
    func neverWrapsALine(width: Int) {
        let shown = lines(
            [
                pipeline(
                    [
                        table("一二三四五六七八九十一二三四五六七八九十", .copying, rows: 123_456_789, of: 1_000_000_000),
                        table("a\u{1B}[2Jb", .copying, rows: 1),
                    ], note: "transactions of pids 12, 13, 14, 15 on the source, which began long before")
            ], width: width, unicode: true)

        #expect(shown.count == 4)
        #expect(shown.allSatisfy { TerminalText.width(of: $0) < width })
        #expect(shown.allSatisfy { !$0.contains("\u{1B}") })
    }

    @Test func leavesOutWhatHasNoRoom() {
        let progress = [pipeline([table("customers", .copying, rows: 50_000, of: 100_000)])]

        #expect(lines(progress, width: 62)[0] == "public.customers  #######-------   50%  50.0k rows  0:02 left")
        #expect(lines(progress, width: 50)[0] == "public.customers   50%  50.0k rows  0:02 left")
        #expect(lines(progress, width: 36)[0] == "…c.customers   50%  50.0k rows")
    }

    @Test func showsAsManyTablesAsTheWindowHasLinesFor() {
        let tables = (1...20).map { table("t\($0)", .copying, rows: 1, of: 10) }

        #expect(lines([pipeline(tables)], height: 10).count == 8)
        #expect(lines([pipeline(tables)], height: 10).last == "shop: 0 of 20 tables done")
        #expect(lines([pipeline(tables)], height: 3) == ["shop: 0 of 20 tables done"])
        #expect(lines([pipeline(tables), pipeline(tables)], height: 1).count == 1)
    }

    @Test func saysWhatIsWaitedFor() {
        let waiting = pipeline([], phase: .waiting, note: "target is gone, trying again")

        #expect(lines([waiting]) == ["shop: waiting: target is gone, trying again"])
        #expect(lines([pipeline([], phase: .connecting)]) == ["shop: connecting"])
        #expect(
            lines([pipeline([], phase: .finishing)]) == ["shop: finishing (indexes, constraints, …), 1 of 4"])
    }

    @Test func drawsBarsOfLines() {
        let shown = lines([pipeline([table("a", .copying, rows: 3, of: 4)])], unicode: true)

        #expect(shown[0].hasPrefix("public.a  ━━━━━━━━━━━━━━━──────   75%"))
    }

    @Test func countsChunksWhereNoRowsAreKnown() {
        var half = table("a", .copying, rows: 3, chunks: 4)
        half.chunksDone = 2

        #expect(half.fraction == 0.5)
        #expect(table("a", .copying, rows: 3).fraction == nil)
        #expect(table("a", .copied, rows: 3).fraction == 1)
        #expect(table("a", .copying, rows: 30, of: 10).fraction == 0.99)
    }

    @Test func keepsOneForEachPipeline() {
        let first = pipeline([], phase: .done)
        let second = pipeline([], phase: .copying)

        #expect([first, second].latest.map(\.phase) == [.copying])
    }
}
