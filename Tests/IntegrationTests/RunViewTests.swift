import Foundation
import TestSupport
import Testing

/// `replhost top` and `replhost attach`, beside a run.
@Suite(.onServer) struct RunViewTests {
    private let program: StreamProgram
    private let process: ConsoleProcess
    private let environment: [String: String]

    init() async throws {
        program = try StreamProgram(
            #"["public.t"] = function(row) row.v = row.v .. "!" return row end"#,
            options: #"on_start = function() rh.every(3600, print) end,"#)
        try program.run(onSource: "create table t (id int primary key, v text); insert into t values (1, 'a')")
        environment = ["XDG_RUNTIME_DIR": try TestWorkspace.shared().makeDirectory("runtime")]
        let process = try ConsoleProcess(["run", program.path], environment: environment)
        self.process = process
        try #require(await eventually { process.errors.contains("following changes") }, "\(process.errors)")
    }

    private func run(_ arguments: String...) async throws -> ConsoleProcess.Output {
        try await ConsoleProcess(arguments, environment: environment).finished()
    }

    // MARK: top

    @Test func topShowsTheRunOnceOffATerminal() async throws {
        for name in [program.path, "stream", "\(process.pid)"] {
            let top = try await run("top", name, "--interval", "0.2")

            #expect(top.status == 0)
            #expect(top.output.contains("pid \(process.pid)"))
            #expect(top.output.contains("stream: streaming"))
            #expect(top.output.contains("public.t"))
        }
        let json = try await run("top", "--json")
        #expect(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) is [String: Any])
        let other = try await run("top", "nothing")
        #expect(other.status == 1)
        #expect(other.errors.contains("RH0121]: \"nothing\" does not run"))
        #expect(other.errors.contains(program.path))
        #expect(try await run("top", "--interval", "0").status == 2)
    }

    @Test func topIsLiveOnATerminal() async throws {
        let terminal = try ReplTerminal(
            ["-n", "0.2"], command: "top", width: 100, height: 12, environment: environment)
        await terminal.expect("stream: streaming")
        await terminal.expect("q leaves · s sorts (by rate)")
        try program.run(onSource: "insert into t select i, 'b' from generate_series(2, 1001) i")
        await terminal.expect("1000", #_sourceLocation) { screen in
            screen.lines.contains { $0.hasPrefix("public.t") && $0.contains("1.00k") }
        }

        terminal.type("s")
        await terminal.expect("s sorts (by name)")
        terminal.resize(width: 40, height: 18)
        await terminal.expect("the narrow window", #_sourceLocation) { screen in
            screen.lines.contains { $0.hasPrefix("public.t") } && screen.lines.allSatisfy { $0.count <= 40 }
        }
        terminal.type("q")
        #expect(try await terminal.process.finished().status == 0)
    }

    @Test func topSaysThatTheRunHasEnded() async throws {
        let terminal = try ReplTerminal(["-n", "0.2"], command: "top", environment: environment)
        await terminal.expect("stream: streaming")

        process.signal(SIGKILL)

        await terminal.expect("the run has ended: \(process.pid)")
        #expect(try await terminal.process.finished().status == 0)
    }

    // MARK: attach

    @Test func attachTellsOfTheRun() async throws {
        let attached = try await run("attach", "-e", "\\status\n\\tasks\n\\pool\nprint(stream.name or stream)")

        #expect(attached.status == 0, "\(attached.errors)")
        #expect(attached.output.contains("pid \(process.pid)"))
        #expect(attached.output.contains("waiting, timer"))
        #expect(attached.output.contains("Pool of the run"))
        #expect(attached.output.contains("stream"))
        let alone = try await run("repl", program.path, "-e", "\\status")
        #expect(alone.status == 1)
        #expect(alone.errors.contains("RH0313"))
    }

    @Test func attachShowsChangesAsTheyPassAndTriesFunctionsOnThem() async throws {
        let terminal = try ReplTerminal(
            ["stream"], command: "attach", width: 100, environment: environment)
        await terminal.expect("Joined \(process.pid)")
        await terminal.expectPrompt()
        terminal.enter(#"\tap t 1"#)
        await terminal.expect("showing what is committed")
        try program.run(onSource: "insert into t values (10, 'ten')")
        await terminal.expect("ten → ten!")
        await terminal.expectPrompt()

        terminal.enter(#"\tap t 1 function(row) row.v = "tried " .. row.v return row end"#)
        await terminal.expect("two taps", #_sourceLocation) {
            $0.visible.split(separator: "showing what is committed").count == 3
        }
        try program.run(onSource: "insert into t values (11, 'eleven')")
        await terminal.expect("eleven → tried eleven")
        await terminal.expectPrompt()
        #expect(await eventually { (try? program.answer("select v from t where id = 11")) == "eleven!" })

        terminal.enter(#"\tap t"#)
        await terminal.expect("three taps", #_sourceLocation) {
            $0.visible.split(separator: "showing what is committed").count == 4
        }
        terminal.type("\u{3}")
        await terminal.expectPrompt()
        terminal.enter("\\tap t 1 42")
        await terminal.expect("RH0312")
        #expect(try await terminal.leave() == 0)
        #expect(try program.slots() == "1")
    }
}
