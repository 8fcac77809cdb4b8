import Foundation
import Sandbox
import TestSupport
import Testing

/// Others at work: writers in the source, a second program, a user who interrupts.
@Suite(.onServer) struct PipelineFaultOthersTests {
    @Test func oneSnapshotWhilePgbenchWrites() async throws {
        let program = try CopyProgram(
            """
            tables = { ["public.*"] = rh.copy },
            snapshot = { workers = 4, chunk_rows = 20000 }, throttle = { rows_per_second = 80000 }
            """)
        try pgbench(program.source, "-i", "-s", "2", "--foreign-keys", "-q")
        let isWriting = onItsOwnThread { try pgbench(program.source, "-c", "4", "-j", "1", "-T", "6", "-n") }
        #expect(
            try await eventually {
                try program.source.run("select count(*) > 100 from pgbench_history") == "t"
            })
        try await program.finish()
        let later = try program.source.run("select count(*) from pgbench_history")
        try await isWriting.value

        let sums = try program.target.run(
            """
            select (select sum(abalance) from pgbench_accounts) = s and (select sum(tbalance) from pgbench_tellers) = s
              and (select sum(bbalance) from pgbench_branches) = s, n > 100, n < \(later)
            from (select sum(delta) s, count(*) n from pgbench_history) h
            """)
        #expect(sums == "t|t|t")
        let keys = """
            select string_agg(conname, ' ' order by conname) from pg_constraint
            where contype = 'f' and convalidated and connamespace = 'public'::regnamespace
            """
        let (here, there) = (try program.source.run(keys), try program.target.run(keys))
        #expect(here == there)
        #expect(try program.target.run("select count(*) from pgbench_accounts") == "200000")
    }

    private func pgbench(_ side: CopyProgram.Side, _ arguments: String...) throws {
        let cluster = side.server.cluster
        let place = ["-h", cluster.socketDirectory, "-p", "\(cluster.port)", "-U", Cluster.superuser, side.database]
        try Command([cluster.binaries.path("pgbench")] + arguments + place, as: cluster.account).runChecked()
    }

    private static let slow = """
        tables = { ["public.*"] = rh.copy },
        snapshot = { workers = 2, chunk_rows = 500 }, throttle = { rows_per_second = 2500 }
        """

    private let rows = """
        create table t (id bigint primary key, v text);
        insert into t select i, 'value ' || i from generate_series(1, 12000) i;
        analyze
        """

    @Test func aSecondProgramIsRefused() async throws {
        let program = try CopyProgram(Self.slow)
        try program.source.run(rows)
        let first = try program.start()
        try await program.untilChunksDone(2, in: first)
        let pid = try program.target.run(Self.owner)
        let second = try await program.start().finished()
        let result = try await first.finished()

        #expect(second.status == 1)
        #expect(second.errors.contains("error[RH3401]: pipeline \"copy\" is being run by another replhost"))
        #expect(second.errors.contains("has pid \(pid))"), "\(second.errors), pid is \(pid)")
        #expect(result.status == 0, "\(result.errors)")
        try program.expectEqual("t")
    }

    /// Its lock is gone with the session, its workers are not.
    @Test func aProgramThatLostItsLockCommitsNothingMore() async throws {
        let program = try CopyProgram(Self.slow)
        try program.source.run(
            "create table t (v text)", "insert into t select i from generate_series(1, 12000) i", "analyze")
        let first = try program.start()
        try await program.untilChunksDone(2, in: first)
        try program.target.run("select pg_terminate_backend((\(Self.owner)))")
        let second = try await program.start().finished()
        let result = try await first.finished()

        #expect(second.status == 0, "\(second.errors)")
        #expect(result.status == 1)
        #expect(result.errors.contains("error[RH3403]"), "\(result.errors)")
        try program.expectEqual("t")
    }

    /// One that was stopped in the middle of a transaction, and whose lock a person has taken away.
    @Test func aProgramThatHangsIsReplaced() async throws {
        let program = try CopyProgram(Self.slow)
        try program.source.run(
            "create table t (id int primary key)", "insert into t select generate_series(1, 15000)", "analyze")
        let first = try program.start()
        try await program.untilChunksDone(2, in: first)
        first.signal(SIGSTOP)
        let refused = try await program.start().finished()
        try program.target.run("select pg_terminate_backend((\(Self.owner)))")
        try await program.finish()
        first.signal(SIGCONT)
        let result = try await first.finished()

        #expect(refused.errors.contains("error[RH3401]"), "\(refused.errors)")
        #expect(result.status == 0, "it sees that the work is done: \(result.errors)")
        try program.expectEqual("t")
    }

    /// The backend that has the pipeline locked.
    private static let owner = """
        select pid from pg_locks l join pg_database d on d.oid = l.database
        where locktype = 'advisory' and mode = 'ExclusiveLock' and datname = current_database()
        """

    @Test(arguments: [SIGINT, SIGTERM])
    func endsInGoodOrderWhenInterrupted(_ signal: CInt) async throws {
        let program = try CopyProgram(Self.slow)
        try program.source.run(rows)
        let process = try program.start()
        try await program.untilChunksDone(3, in: process)
        process.signal(signal)
        let start = ContinuousClock.now
        let result = try await process.finished()

        #expect(result.status == 130, "\(result.errors)")
        #expect(result.errors.contains("interrupted"))
        #expect(ContinuousClock.now - start < .seconds(10))
        #expect(try await eventually { try program.target.sessions() == 0 && program.source.sessions() == 0 })
        let sums = try program.target.run("select sum(rows_written) from replhost.chunk")
        #expect(try program.target.run("select count(*) from t") == sums)
        try await program.finish()
        try program.expectEqual("t")
    }

    /// For a lock of somebody else's.
    @Test func isInterruptedWhileTheTargetWaits() async throws {
        let program = try CopyProgram("tables = { [\"public.*\"] = rh.copy }")
        try program.source.run(rows)
        try program.target.run("create table t (id bigint primary key, v text)")
        let blocker = try LockedTable("t", "access exclusive", in: program.target)
        let process = try program.start()
        #expect(try await eventually { try !blocker.waiting().isEmpty })
        process.signal(SIGINT)
        let result = try await process.finished()
        try await blocker.release()

        #expect(result.status == 130, "\(result.errors)")
        try await program.finish()
        try program.expectEqual("t")
    }
}
