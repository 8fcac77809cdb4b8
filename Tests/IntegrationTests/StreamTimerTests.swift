import Foundation
import TestSupport
import Testing

/// Timers of pipeline files.
@Suite(.onServer) struct StreamTimerTests {
    private func program(_ before: String, options: String = "") throws -> StreamProgram {
        let program = try StreamProgram(
            #"["public.*"] = function(row) row.v = tostring(count) return row end"#, options: options,
            before: "local count = 0; \(before)")
        try program.run(onSource: "create table t (id int primary key, v text)")
        return program
    }

    @Test func timersRunWithThePipelineAndShareItsVariables() async throws {
        let program = try program(
            #"rh.every(0.1, function() count = count + 1 print("tick", count) end)"#,
            options: #"on_start = function() rh.after(0.2, function() print("started") end) end,"#)
        let process = try await program.started()

        #expect(await eventually { process.printed.contains("tick\t3\n") && process.printed.contains("started\n") })
        try program.run(onSource: "insert into t values (1)")
        #expect(await eventually { (try? program.answer("select v::int > 2 from t")) == "t" })
        // A file that is loaded anew brings its own, and ends those before.
        try program.write(
            #"["public.*"] = {}"#, before: #"rh.every(0.1, function() print("tock") end)"#)
        process.signal(SIGHUP)
        // Those end when the stream goes on with the new ones.
        #expect(await eventually { process.printed.split(separator: "tock").count > 10 })
        let ticks = process.printed.split(separator: "tick").count
        #expect(await eventually { process.printed.split(separator: "tock").count > 15 })
        #expect(process.printed.split(separator: "tick").count == ticks)

        process.signal(SIGINT)
        #expect(try await process.finished().status == 130)
        #expect(process.printed.split(separator: "\n").count { $0 == "started" } == 1)
    }

    @Test(arguments: [
        "local keep = rh.every(0.2, function() work() end)", "rh.after(0.2, function() work() end)",
        "local start = function() rh.every(0.2, function() work() end) end",
    ]) func anErrorInOneEndsTheRun(_ timer: String) async throws {
        let options = timer.contains("start =") ? "on_start = start," : ""
        let program = try program(#"local function work() error("timer broke") end; \#(timer)"#, options: options)

        let result = try await ConsoleProcess.run("run", program.path)

        #expect(result.status == 1)
        #expect(result.errors.contains("timer broke"))
        #expect(result.errors.contains("stream.lua:2"))
        #expect(result.errors.contains("in upvalue 'work'"), "\(result.errors)")
    }

    @Test func otherCommandsDoNotRunThem() async throws {
        let program = try program(#"rh.every(0.001, function() print("tick") end); rh.after(3600, print)"#)
        try await program.follow()
        try program.write(module: "stream_test", #"require("replhost.test").load "stream.lua""#)

        for arguments in [["check", program.path], ["status", program.path], ["verify", program.path]] {
            let result = try await ConsoleProcess(arguments).finished()
            #expect(result.status == 0, "\(arguments): \(result.errors)")
            #expect(!result.output.contains("tick"))
        }
        let test = (program.path as NSString).deletingLastPathComponent + "/stream_test.lua"
        #expect(try await ConsoleProcess.run("test", test).errors.contains("no test cases"))
    }
}
