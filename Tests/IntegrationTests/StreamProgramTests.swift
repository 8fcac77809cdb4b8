import Foundation
import Scripting
import TestSupport
import Testing

/// The program while it follows changes, from outside.
@Suite(.onServer) struct StreamProgramTests {
    /// A pipeline that marks rows, and the program that runs it.
    private struct Program {
        let server: TestServer
        let source: String
        let target: String
        let path: String

        init() throws {
            server = try TestServer.shared()
            source = try server.makeDatabase()
            target = try server.makeDatabase()
            path = try ConsoleProcess.makeFile("marks.lua", "")
            try write(mark: "first")
            try server.run(
                "create table t (id int primary key, v text); insert into t select i from generate_series(1, 20) i",
                in: source)
        }

        func write(mark: String, after: String = "") throws {
            let text = """
                local rh = require "replhost"
                return rh.pipeline "marks" { heartbeat = 1,
                  source = rh.pool { dsn = "\(source)" }, sink = rh.pool { dsn = "\(target)" },
                  tables = { ["public.*"] = function(row) row.v = "\(mark)" return row end } }
                """
            try (text + after).write(toFile: path, atomically: true, encoding: .utf8)
        }

        func start() throws -> ConsoleProcess { try ConsoleProcess(["run", path]) }

        /// Until it follows changes.
        func started() async throws -> ConsoleProcess {
            let process = try start()
            try #require(await eventually { process.errors.contains("following changes") }, "\(process.errors)")
            return process
        }

        /// Inserts a row, and waits for it; its mark in the target.
        func mark(of id: Int) async throws -> String? {
            try server.run("insert into t values (\(id))", in: source)
            var mark = ""
            let has = await eventually(within: .seconds(15)) {
                mark = (try? server.run("select v from t where id = \(id)", in: target)) ?? ""
                return !mark.isEmpty
            }
            return has ? mark : nil
        }
    }

    @Test(arguments: [SIGINT, SIGTERM]) func leavesInGoodOrderAndGoesOn(_ signal: CInt) async throws {
        let program = try Program()
        let process = try await program.started()
        #expect(try await program.mark(of: 100) == "first")

        process.signal(signal)
        let result = try await process.finished()
        try program.server.run("insert into t values (101)", in: program.source)
        let next = try await ConsoleProcess.run("run", "--once", program.path)

        #expect(result.status == 130 && next.status == 0, "\(result.errors)\(next.errors)")
        #expect(try program.server.run("select count(*) from t", in: program.target) == "22")
    }

    @Test func anotherOneStandsByAndTakesOver() async throws {
        let program = try Program()
        let first = try await program.started()
        #expect(try await program.mark(of: 100) == "first")
        try program.write(mark: "second")
        let second = try program.start()
        try await Task.sleep(for: .seconds(2))
        #expect(try await program.mark(of: 101) == "first")

        first.signal(SIGKILL)

        #expect(try await program.mark(of: 102) == "second")
        second.signal(SIGINT)
        #expect(try await second.finished().status == 130)
    }

    @Test func aChangedFileTakesEffectAndABrokenOneDoesNot() async throws {
        let program = try Program()
        let process = try await program.started()
        #expect(try await program.mark(of: 100) == "first")
        // It must not take over between two steps of the one that runs.
        let other = try program.start()

        try program.write(mark: "broken", after: " this is no Lua")
        process.signal(SIGHUP)
        #expect(await eventually { process.errors.contains("the changed file is no good: RH1100") })
        #expect(try await program.mark(of: 101) == "first")
        try program.write(mark: "second")
        process.signal(SIGHUP)
        #expect(await eventually { process.errors.contains("goes on with the changed file") })
        #expect(try await program.mark(of: 102) == "second")
        let asked = try await ConsoleProcess.run("resnapshot", program.path, "public.t")
        #expect(asked.status == 0 && asked.errors.contains("asked the process that runs the pipeline"))
        let isAnew = await eventually(within: .seconds(15)) {
            (try? program.server.run("select count(*) from t where v = 'second'", in: program.target)) == "23"
        }

        #expect(isAnew)
        try program.server.run("create table later as select 7 as id, null::text as v", in: program.source)
        let isFollowed = await eventually(within: .seconds(25)) {
            (try? program.server.run("select id from later", in: program.target)) == "7"
        }
        #expect(isFollowed)
        for program in [other, process] { program.signal(SIGINT) }
        #expect(try await process.finished().status == 130)
    }

    @Test func twoSourcesStreamIntoOneTarget() async throws {
        let file = try PipelineFile("")
        let other = try file.server.makeDatabase()
        for (database, first) in [(file.source, 1), (other, 1000)] {
            try file.server.run(
                "create table t (id int primary key, v text); insert into t select i from generate_series(\(first), \(first) + 9) i",
                in: database)
        }
        try file.run(onTarget: "create table t (id int primary key, v text)")
        try file.write(
            """
            local options = { on_conflict = "upsert" }
            return {
              rh.pipeline "one" { source = source, sink = sink, tables = { ["public.t"] = options } },
              rh.pipeline "two" { source = rh.pool { dsn = "\(other)" }, sink = sink, tables = { ["public.t"] = options } },
            }
            """)
        _ = try await file.perform { await $0.runPipelines(once: true) }.value()
        try file.run(onSource: "update t set v = 'a'")
        try file.server.run("delete from t where id < 1005", in: other)
        _ = try await file.perform { await $0.runPipelines(once: true) }.value()

        let counts = "select count(*), count(v), min(id), max(id) from t"
        #expect(try file.server.run(counts, in: file.target) == "15|10|1|1009")
    }
}
