import Foundation
import TestSupport
import Testing

/// `replhost FILE`, `-e` and standard input: what is printed, and the exit code.
@Suite struct ConsoleRunTests {
    @Test func runsATextAndAFileAndStandardInput() async throws {
        let file = try ConsoleProcess.makeFile("a.lua", "print('file', ...)")

        #expect(try await ConsoleProcess.run("-e", "print('text', ...)", "a", "--b").output == "text\ta\t--b\n")
        #expect(try await ConsoleProcess.run(file, "--help", "-e", "x").output == "file\t--help\t-e\tx\n")
        #expect(try await ConsoleProcess.run("run", file, "--", "x").output == "file\t--\tx\n")
        #expect(try await ConsoleProcess.run("-", "y", input: "print('stdin', ...)").output == "stdin\ty\n")
        #expect(try await ConsoleProcess.run(input: "print('stdin', ...)").output == "stdin\n")
    }

    @Test func givesTheScriptItsArguments() async throws {
        let result = try await ConsoleProcess.run("-e", "print(#arg, arg[1], arg[2])", "x", "y z")

        #expect(result == .init(status: 0, output: "2\tx\ty z\n", errors: ""))
    }

    @Test func skipsAFirstLineForTheShellAndAByteOrderMark() async throws {
        let file = try ConsoleProcess.makeFile("a.lua", "\u{FEFF}#!/usr/bin/env replhost\nprint(1)\nerror('no')\n")
        let result = try await ConsoleProcess.run(file)

        #expect(result.output == "1\n")
        #expect(result.errors.contains("a.lua:3"))
    }

    @Test func showsWhereAScriptFailed() async throws {
        let file = try ConsoleProcess.makeFile(
            "a.lua", "local function check(x)\n  return x.y.z\nend\nlocal v = check({})\nprint(v)\n")
        let result = try await ConsoleProcess.run(file)

        #expect(result.status == 1)
        #expect(result.output == "")
        #expect(
            result.errors.hasPrefix(
                """
                error: attempt to index a nil value (field 'y')
                  --> \(file):2:12
                    2 |   return x.y.z
                      |            ^

                """))
        #expect(result.errors.contains("\(file):4: in main chunk"))
    }

    @Test func showsSyntaxErrorsWithTheirLine() async throws {
        let result = try await ConsoleProcess.run("-e", "x = = 1")

        #expect(result.status == 1)
        #expect(
            result.errors == """
                error[RH1100]: unexpected symbol near '='
                  --> (command line):1:3
                    1 | x = = 1
                      |   ^

                """)
    }

    @Test(arguments: ["error({})", "error(nil)", "error(setmetatable({}, {__tostring = function() error('x') end}))"])
    func failsWithAnyErrorValue(_ script: String) async throws {
        let result = try await ConsoleProcess.run("-e", script)

        #expect(result.status == 1)
        #expect(result.errors.hasPrefix("error: "))
    }

    @Test func saysWhyAFileCannotBeRun() async throws {
        let missing = try await ConsoleProcess.run("/nowhere/a.lua")
        let folder = try await ConsoleProcess.run("/tmp")
        let misspelt = try await ConsoleProcess.run("sandbx")

        #expect(missing.status == 1)
        #expect(missing.errors == "error[RH1007]: cannot open \"/nowhere/a.lua\": No such file or directory\n")
        #expect(folder.errors == "error[RH1007]: cannot open \"/tmp\": Is a directory\n")
        #expect(misspelt.errors.contains("help: Did you mean the command \"sandbox\"?"))
    }

    @Test func endsWithTheCodeOfWhatHappened() async throws {
        #expect(try await ConsoleProcess.run("-e", "").status == 0)
        #expect(try await ConsoleProcess.run("-e", "error('x')").status == 1)
        #expect(try await ConsoleProcess.run("--nonsense").status == 2)
        #expect(try await ConsoleProcess.run("--limits", "time", "a.lua").status == 2)
        #expect(try await ConsoleProcess.run("--allow", "os", "-e", "os.exit(7)").status == 7)
        #expect(try await ConsoleProcess.run("--allow", "os", "-e", "os.exit(true)").status == 0)
        #expect(try await ConsoleProcess.run("--help").status == 0)
        #expect(try await ConsoleProcess.run("--version").output.hasPrefix("replhost 0.1.0"))
    }

    @Test func endsAnEndlessLoopAtItsLimits() async throws {
        let slow = try await ConsoleProcess.run("--limits", "time=200ms", "-e", "while true do pcall(error) end")
        let big = try await ConsoleProcess.run(
            "--limits", "memory=32MB", "-e", "local t = {} while true do t[#t+1] = {} end")

        #expect(slow.status == 1)
        #expect(slow.errors.hasPrefix("error[RH1201]: time limit exceeded"))
        #expect(big.status == 1)
        #expect(big.errors.hasPrefix("error[RH1205]: not enough memory"))
    }

    @Test func allowsOnlyWhatWasAllowed() async throws {
        #expect(try await ConsoleProcess.run("-e", "print(os.execute, io.popen)").output == "nil\tnil\n")
        #expect(
            try await ConsoleProcess.run("--allow", "os,io", "-e", "print(os.execute('exit 3'))").output
                == "nil\texit\t3\n")
        #expect(try await ConsoleProcess.run("--sandbox", "strict", "-e", "print(io, os)").output == "nil\tnil\n")
    }

    @Test func writesTheLogInTheFormAndLevelAskedFor() async throws {
        let script = "local log = require('replhost.log') log.info('one') log.warn('two')"
        let result = try await ConsoleProcess.run("--log-format", "json", "--log-level", "warning", "-e", script)

        #expect(result.errors.hasPrefix("{\"timestamp\":"))
        #expect(result.errors.contains("\"body\":\"two\""))
        #expect(!result.errors.contains("one"))
    }

    @Test func failsWhenItsOutputCannotBeWritten() async throws {
        let full = open("/dev/full", O_WRONLY | O_CLOEXEC)
        defer { close(full) }
        let result = try await ConsoleProcess(["-e", "print(1)"], output: full).finished()

        #expect(result.status == 1)
        #expect(result.errors == "error[RH0103]: cannot write standard output: some of it was lost\n")
    }

    @Test func endsQuietlyWhenNobodyReadsItsOutput() async throws {
        let fifo = try TestWorkspace.shared().makeDirectory("fifo") + "/output"
        try #require(mkfifo(fifo, 0o600) == 0)
        let reader = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        let writer = open(fifo, O_WRONLY | O_CLOEXEC)
        let process = try ConsoleProcess(["--limits", "time=0", "-e", "while true do print(1) end"], output: writer)
        close(writer)
        close(reader)
        let result = try await process.finished()

        #expect(result.status == 141)
        #expect(result.errors == "")
    }

    @Test(arguments: [[], ["--show-values"]])
    func showsRowValuesOnlyIfAsked(options: [String]) async throws {
        let script = """
            local pool = require("replhost").pool { dsn = arg[1] }
            pool:query("create temp table secrets (email text unique);"
              .. "insert into secrets values ('ann@example.com'), ('ann@example.com')")
            """
        let process = try ConsoleProcess(
            options + ["-e", script, try TestServer.shared().conninfo()], input: "/dev/null")
        let result = try await process.finished()
        let isShown = !options.isEmpty

        #expect(result.status == 1)
        #expect(result.errors.contains("DETAIL:  Key (email)=(\(isShown ? "ann@example.com" : "…")) already exists."))
        #expect(result.errors.contains("--show-values") == !isShown)
    }
}
