import Foundation
import TestSupport
import Testing

/// Commands on pipelines that cannot begin, and `replhost test`, which needs no server.
@Suite struct ConsolePipelineUsageTests {
    @Test(arguments: [
        ["check"], ["plan"], ["preview"], ["verify"], ["status"], ["drop"], ["dlq", "list"], ["dlq", "retry"],
    ])
    func needsAPipeline(command: [String]) async throws {
        let path = try ConsoleProcess.makeFile("plain.lua", "print('ran')")
        let result = try await ConsoleProcess(command + [path]).finished()

        #expect(result.status == 1)
        #expect(result.output == "ran\n")
        #expect(result.errors.hasPrefix("error[RH3480]: \(path) returns no pipeline\n  help: "))
    }

    @Test func aPipelineThatIsNotReturnedIsNotForgotten() async throws {
        let text = """
            local rh = require "replhost"
            local source, sink = rh.pool { dsn = "host=/nowhere" }, rh.pool { dsn = "host=/elsewhere" }
            rh.pipeline "shop" { source = source, sink = sink, tables = { ["a.b"] = rh.copy } }
            """
        let path = try ConsoleProcess.makeFile("shop.lua", text)
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let user = "package.path = '\(folder)/?.lua;' .. package.path; require 'shop'; print('used')"
        let forgotten = try await ConsoleProcess.run(path)
        let required = try await ConsoleProcess.run(try ConsoleProcess.makeFile("user.lua", user))
        let undefined = try await ConsoleProcess.run(try ConsoleProcess.makeFile("b.lua", "rh.pool {}"))

        #expect(forgotten.status == 1)
        #expect(
            forgotten.errors.hasPrefix(
                "error[RH3108]: pipeline \"shop\" is declared and not returned: it would not be run\n  --> \(path):3"),
            "\(forgotten.errors)")
        #expect(required.status == 0 && required.output == "used\n", "\(required.errors)")
        #expect(undefined.errors.contains("help: Begin the file with: local rh = require \"replhost\""))
    }

    @Test func saysWhatIsWrongWithTheFile() async throws {
        let missing = try await ConsoleProcess.run("check", "/nowhere/check")
        let broken = try await ConsoleProcess.run("plan", try ConsoleProcess.makeFile("a.lua", "x = = 1"))
        let none = try await ConsoleProcess.run("verify")
        let misspelt = try await ConsoleProcess.run("chekc", "a.lua")

        #expect(missing.status == 1)
        #expect(missing.errors == "error[RH1007]: cannot open \"/nowhere/check\": No such file or directory\n")
        #expect(broken.errors.hasPrefix("error[RH1100]: unexpected symbol near '='\n"))
        #expect(none.status == 2)
        #expect(misspelt.status == 2)
        #expect(misspelt.errors.contains("help: Did you mean the command \"check\"?"))
    }

    @Test func runsTestsAndShowsWhatFailed() async throws {
        let directory = try makeTests()
        let result = try await ConsoleProcess.run("test", directory)

        #expect(result.status == 1)
        #expect(
            result.output == """
                \(directory)/a_test.lua
                  ok      adds
                  failed  subtracts
                    error: expected 1, got 2
                      --> \(directory)/a_test.lua:3
                        3 | t.case("subtracts", function() error("expected 1, got 2") end)
                \(directory)/sub/b_test.lua
                  failed  to load
                    error[RH1100]: unexpected symbol near '='
                      --> \(directory)/sub/b_test.lua:1:3
                        1 | x = = 1
                          |   ^
                1 passed, 1 failed, 1 file not loaded

                """)
    }

    @Test func printsTestsAsJSON() async throws {
        let directory = try makeTests()
        let result = try await ConsoleProcess.run("test", "--json", "--filter", "add", directory + "/a_test.lua")

        #expect(
            result
                == .init(
                    status: 0,
                    output: """
                        {"passed": 1, "failed": 0, "files": [{"path": "\(directory)/a_test.lua", "error": null, \
                        "cases": [{"name": "adds", "ok": true, "error": null}]}]}

                        """, errors: ""))
    }

    @Test func failsWhenThereIsNothingToTest() async throws {
        let directory = try TestWorkspace.shared().makeDirectory("empty")
        let empty = try await ConsoleProcess.run("test", directory)
        let unmatched = try await ConsoleProcess.run(
            "test", "--filter", "nothing like it", try makeTests() + "/a_test.lua")
        let missing = try await ConsoleProcess.run("test", "/nowhere")

        #expect(empty.status == 1)
        #expect(empty.errors.hasPrefix("error[RH3485]: there are no test cases\n"))
        #expect(unmatched.errors == "error[RH3485]: no case has \"nothing like it\" in its name\n")
        #expect(missing.errors == "error[RH3483]: cannot open \"/nowhere\": No such file or directory\n")
    }

    @Test func stopsTestsWhenItIsInterrupted() async throws {
        let path = try ConsoleProcess.makeFile(
            "slow_test.lua",
            "require('replhost.test').case('sleeps', function() io.write('on\\n') io.flush() require('replhost').sleep(100) end)"
        )
        let process = try ConsoleProcess(["test", path])
        try #require(await eventually { process.printed.hasSuffix("on\n") })
        process.signal(SIGINT)
        let result = try await process.finished()

        #expect(result.status == 130)
        #expect(result.errors == "interrupted\n")
    }

    /// Three files: one with a case that fails, one that does not compile, one that is hidden.
    private func makeTests() throws -> String {
        let directory = try TestWorkspace.shared().makeDirectory("tests")
        let files = [
            "a_test.lua": """
            local t = require "replhost.test"
            t.case("adds", function() assert(1 + 1 == 2) end)
            t.case("subtracts", function() error("expected 1, got 2") end)
            """,
            "sub/b_test.lua": "x = = 1", ".hidden/c_test.lua": "error('no')", "sub/other.lua": "error('no')",
        ]
        for (name, text) in files {
            let path = directory + "/" + name
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        }
        return directory
    }
}
