import Foundation
import Sandbox
import TestSupport
import Testing

/// The loss of a server, or of the way to it, while the program runs.
@Suite(.onServer) struct PipelineFaultServerTests {
    private let rows = """
        create table t (id bigint primary key, v text);
        insert into t select i, 'value ' || i from generate_series(1, 30000) i;
        create table log (v text);
        insert into log select 'message ' || i / 2 from generate_series(1, 6000) i;
        analyze
        """

    enum Lost: CaseIterable {
        case source
        case target
    }

    @Test(arguments: Lost.allCases)
    func goesOnWhenAServerComesBack(_ lost: Lost) async throws {
        var random = SeededGenerator.noted()
        let server = try TestServer.start()
        let side = try CopyProgram.Side(server)
        let program = try CopyProgram(
            """
            tables = { ["public.*"] = rh.copy },
            snapshot = { workers = 2, chunk_rows = 1000 }, throttle = { rows_per_second = 10000 }
            """, source: lost == .source ? side : nil, target: lost == .target ? side : nil)
        try program.source.run(rows)
        let process = try program.start()

        for round in 1...2 {
            try await program.untilChunksDone(8 * round, in: process)
            try await Task.sleep(for: random.duration(0...200))
            try server.stop(.immediate)
            try await Task.sleep(for: random.duration(200...1500))
            try server.start()
        }
        let result = try await process.finished()

        #expect(result.status == 0, "\(result.errors)")
        try program.expectEqual("t", "log")
        try server.remove()
    }

    @Test(arguments: Lost.allCases)
    func copiesEveryRowOnceHoweverOftenConnectionsAreCut(_ lost: Lost) async throws {
        var random = SeededGenerator.noted()
        let side = try CopyProgram.Side()
        let proxy = try FaultProxy(to: side.server.endpoint)
        let address = proxy.conninfo(database: side.database)
        let program = try CopyProgram(
            """
            tables = { ["public.*"] = rh.copy },
            snapshot = { workers = 2, chunk_rows = 500 }, throttle = { rows_per_second = 6000 }
            """, source: lost == .source ? side : nil, target: lost == .target ? side : nil,
            sourceAddress: lost == .source ? address : nil, targetAddress: lost == .target ? address : nil)
        try program.source.run(rows)
        let process = try program.start()

        var (done, cuts) = (0, 0)
        while done < 45 {
            try await program.untilChunksDone(done + 1, in: process)
            try await Task.sleep(for: random.duration(0...400))
            proxy.cut()
            done = try program.chunksDone()
            cuts += 1
        }
        let result = try await process.finished()

        #expect(result.status == 0, "\(result.errors)")
        #expect(cuts > 5)
        try program.expectEqual("t", "log")
    }

    @Test func goesOnWhenTheTargetIsLostWhileIndexesAreMade() async throws {
        let server = try TestServer.start()
        let program = try CopyProgram("tables = { [\"public.*\"] = rh.copy }", target: try CopyProgram.Side(server))
        try program.source.run(SlowIndex.table)
        let process = try program.start()
        #expect(try await eventually { try SlowIndex.isBeingMade(in: program.target) })
        try server.stop(.immediate)
        try server.start()
        let result = try await process.finished()

        #expect(result.status == 0, "\(result.errors)")
        try program.expectEqual("t")
        #expect(try SlowIndex.isValid(in: program.target))
        try server.remove()
    }

    /// Before it has its lock.
    @Test func goesOnWhenTheTargetIsLostAtTheVeryStart() async throws {
        let program = try CopyProgram("tables = { [\"public.*\"] = rh.copy }")
        try program.source.run("create table t (id int primary key)", "insert into t select generate_series(1, 10)")
        try await program.finish()
        // The ledger is that of an earlier version, which is brought up to date before anything else.
        try program.target.run("drop table replhost.shape")
        let blocker = try LockedTable("replhost.stream", "access exclusive", in: program.target)
        let process = try program.start()
        try #require(await eventually { try !blocker.waiting().isEmpty }, "\(process.errors)")
        let waiting = try blocker.waiting().replacing(" ", with: ", ")
        try program.target.run("select pg_terminate_backend(pid) from unnest(array[\(waiting)]) pid")
        try await blocker.release()
        let result = try await process.finished()

        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("trying again"), "\(result.errors)")
    }

    /// Nobody knows yet whether they have happened when the next attempt begins.
    @Test(arguments: ["id bigint primary key, v text", "id bigint, v text"])
    func aCommitUnderWayIsWaitedFor(_ columns: String) async throws {
        let target = try CopyProgram.Side()
        let proxy = try FaultProxy(to: target.server.endpoint)
        let program = try CopyProgram(
            "tables = { [\"public.*\"] = rh.copy }, snapshot = { workers = 2, chunk_rows = 1000 }", target: target,
            targetAddress: proxy.conninfo(database: target.database))
        try program.source.run(
            "create table t (\(columns))", "insert into t select i, i from generate_series(1, 4000) i", "analyze")
        try target.run("create table t (\(columns))", SlowCommits.sql)
        let process = try program.start()

        #expect(try await eventually { try SlowCommits.count(in: target) == 2 })
        proxy.cut()
        let result = try await process.finished()

        #expect(result.status == 0, "\(result.errors)")
        try program.expectEqual("t")
    }

    /// The server has not noticed that nobody is there any more, and keeps its locks.
    @Test func itsOwnLostSessionIsEnded() async throws {
        let target = try CopyProgram.Side()
        let proxy = try FaultProxy(to: target.server.endpoint)
        let program = try CopyProgram(
            """
            tables = { ["public.*"] = rh.copy }, snapshot = { workers = 1, chunk_rows = 500 },
            throttle = { rows_per_second = 5000 }
            """, target: target, targetAddress: proxy.conninfo(database: target.database))
        try program.source.run(
            "create table t (v text)", "insert into t select i from generate_series(1, 5000) i", "analyze")
        let first = try program.start()
        try await program.untilChunksDone(2, in: first)
        first.signal(SIGKILL)
        _ = try await first.finished()
        let reader = try LockedTable("t", "access share", in: target)
        let second = try program.start()
        #expect(try await eventually { try reader.waiting().isEmpty == false })
        let lost = try reader.waiting()
        proxy.cut()
        #expect(try await eventually { try !["", lost].contains(reader.waiting()) })
        try await reader.release()
        let result = try await second.finished()

        #expect(result.status == 0, "\(result.errors)")
        try program.expectEqual("t")
    }
}
