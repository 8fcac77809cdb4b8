import Foundation
import TestSupport
import Testing

/// The program, whose function raises on one change: each policy, across restarts.
@Suite(.onServer) struct StreamPolicyTests {
    private func program(_ policy: String) async throws -> StreamProgram {
        let program = try StreamProgram(tables(policy))
        try program.run(
            onSource: "create table t (id int primary key, v text)",
            "insert into t select i, 'copied' from generate_series(1, 20) i")
        try await program.follow()
        try program.run(
            onSource: "update t set v = 'before' where id = 1",
            "begin; update t set v = 'same' where id = 2; update t set v = 'bad' where id = 3; update t set v = 'same' where id = 4; commit",
            "update t set v = 'after' where id = 5", "delete from t where id = 6")
        return program
    }

    private func tables(_ policy: String) -> String {
        """
        ["public.t"] = { on_error = "\(policy)", transform = function(row)
          if row.v == "bad" then error("no bad rows") end
          return row
        end }
        """
    }

    /// Rows that are not as they were copied.
    private let changed = "select string_agg(id || ' ' || v, ', ' order by id) from t where v <> 'copied'"
    private let others = "1 before, 2 same, 4 same, 5 after"

    @Test func stopHaltsBeforeTheTransactionAndGoesOnThere() async throws {
        let program = try await program("stop")

        for _ in 1...2 {
            let result = try await ConsoleProcess.run("run", program.path)
            #expect(result.status == 1 && result.errors.contains("error[RH3201]: no bad rows"), "\(result.errors)")
            #expect(result.errors.contains("row of public.t with key (id)") && !result.errors.contains("= (3)"))
            #expect(try program.answer(changed) == "1 before" || program.answer(changed) == "")
        }
        let status = try await ConsoleProcess.run("status", program.path)
        #expect(status.output.contains("last error: public.t: no bad rows"))
        try program.write(#"["public.t"] = function(row) return row end"#)
        try await program.follow()
        #expect(try program.answer(changed) == "1 before, 2 same, 3 bad, 4 same, 5 after")
        #expect(try program.answer("select count(*) from t where id = 6") == "0")
    }

    /// All but the row that fails arrive, and stay through a kill.
    private func followKilled(_ program: StreamProgram) async throws {
        let process = try await program.started()
        #expect(await eventually { (try? program.answer(changed)) == others })
        process.signal(SIGKILL)
        _ = try await process.finished()
        try await program.follow()
        #expect(try program.answer(changed) == others)
    }

    @Test func deadLettersAreKeptOnceAndCanBeDeliveredLater() async throws {
        let program = try await program("dead_letter")
        try await followKilled(program)

        #expect(
            try program.answer(
                "select operation, key->>'id', row->>'v', lsn is not null, xid > 0 from replhost.dead_letter")
                == "update|3|bad|t|t")
        try program.write(#"["public.t"] = function(row) return row end"#)
        let retried = try await ConsoleProcess.run("dlq", "retry", program.path)
        #expect(retried.status == 0, "\(retried.errors)")
        #expect(try program.answer("select v from t where id = 3") == "bad")
        #expect(try program.answer("select count(*) from replhost.dead_letter") == "0")
    }

    @Test func lettersAreDeliveredAsTheSourceHasTheRowsNow() async throws {
        let program = try await program("dead_letter")
        let letters = #"["public.t"] = { on_error = "dead_letter", transform = function() error("no") end }"#
        try program.write(letters)
        try program.run(
            onSource: "insert into t values (30, 'new'), (31, 'new')", "delete from t where id = 7",
            "update t set v = 'old' where id in (8, 9)")
        try await program.follow()
        try program.write(tables("dead_letter"))
        try program.run(
            onSource: "update t set v = 'newer' where id = 8", "delete from t where id = 9",
            "delete from t where id = 31")
        try await program.follow()
        try program.run(onSource: "update t set v = 'mended' where id = 3")
        let retried = try await ConsoleProcess.run("dlq", "retry", program.path)
        try await program.follow()

        #expect(retried.status == 0, "\(retried.output)\(retried.errors)")
        let sides = [program.source, program.target].map {
            try? program.server.run("select * from t order by id", in: $0)
        }
        #expect(sides[0] == sides[1])
        #expect(try program.answer("select count(*) from replhost.dead_letter") == "0")
    }

    @Test func skippedChangesAreLeftOut() async throws {
        let program = try await program("skip")
        try await followKilled(program)

        #expect(try program.answer("select v from t where id = 3") == "copied")
        #expect(try program.answer("select count(*) from replhost.dead_letter") == "0")
    }
}
