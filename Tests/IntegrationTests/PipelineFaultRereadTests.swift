import Foundation
import TestSupport
import Testing

/// What is read again after a kill -9, as the source has counted it.
@Suite(.onServer) struct PipelineFaultRereadTests {
    private let schema = """
        create table done (id int primary key, v text);
        insert into done select i, repeat('d', 900) from generate_series(1, 4000) i;
        create table cut (id bigint primary key, v text);
        insert into cut select i * 3, 'value ' || i from generate_series(1, 20000) i;
        create table pages (v text);
        insert into pages select 'v' || i from generate_series(1, 3000) i;
        analyze
        """

    @Test func finishedTablesAndChunksAreNotReadAgain() async throws {
        let program = try CopyProgram(
            """
            tables = { ["public.*"] = rh.copy },
            snapshot = { workers = 1, chunk_rows = 1000 }, throttle = { rows_per_second = 4000 }
            """)
        try program.source.run(schema)
        try await killOnceCut(program)

        let unfinished = try rowsToRead(program)
        try program.source.run("select pg_stat_reset()")
        try await program.finish()

        #expect(try await eventually { try program.source.sessions() == 0 })
        #expect(try read("done", program) == "0|0")
        #expect(try read("cut", program) == "0|\(unfinished)")
        #expect(try read("pages", program) == "3000|0")
        try program.expectEqual("done", "cut", "pages")
    }

    @Test func aFinishedCopyReadsNothing() async throws {
        let program = try CopyProgram("tables = { [\"public.*\"] = rh.copy }, snapshot = { chunk_rows = 1000 }")
        try program.source.run(schema)
        try await program.finish()
        #expect(try await eventually { try program.source.sessions() == 0 })
        try program.source.run("select pg_stat_reset()")
        let again = try await program.finish()

        #expect(try await eventually { try program.source.sessions() == 0 })
        let total = "select sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) from pg_stat_user_tables"
        #expect(try program.source.run(total) == "0")
        #expect((again.output + again.errors).contains("already complete"))
        try program.expectEqual("done", "cut", "pages")
    }

    /// The largest table is copied and a part of the second one; pages are not begun.
    private func killOnceCut(_ program: CopyProgram) async throws {
        let process = try program.start()
        try await program.untilChunksDone(4 + 5, in: process)
        process.signal(SIGKILL)
        #expect(try await process.finished().status == 128 + SIGKILL)
        #expect(try await eventually { try program.source.sessions() == 0 && program.target.sessions() == 0 })
    }

    /// Rows of chunks that the target does not have, counted from what it has.
    private func rowsToRead(_ program: CopyProgram) throws -> Int {
        let rows = try #require(Int(try program.target.run("select count(*) from cut")))
        #expect(rows >= 3000)
        #expect(rows < 20000)
        #expect(try program.target.run("select count(*) from done") == "4000")
        return 20000 - rows
    }

    /// Rows that were read by scans and through indexes since the reset.
    private func read(_ table: String, _ program: CopyProgram) throws -> String {
        try program.source.run(
            "select seq_tup_read, coalesce(idx_tup_fetch, 0) from pg_stat_user_tables where relname = '\(table)'")
    }
}
