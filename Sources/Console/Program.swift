import ArgumentParser
@preconcurrency import Glibc
import Logging
import Scripting

/// The program `replhost`, from its arguments to its exit code.
package enum Program {
    /// To be called first of all on the main thread, which from then on waits for signals.
    package static func main(_ arguments: [String]) -> Never {
        let signals = Signals()
        // Ends the process itself: nobody is left to wait for it.
        Task.detached { end(await run(arguments, signals)) }
        signals.watch()
    }

    private static func run(_ arguments: [String], _ signals: Signals) async -> Int32 {
        let line = ArgumentLine.expanded(arguments, inputIsTerminal: Terminal.inputIsTerminal)
        if let request = RunRequest(plain: line) { return await run(request, signals) }
        do {
            return try await run(try parse(line), signals)
        } catch {
            return answer(error)
        }
    }

    private static func run(_ request: RunRequest, _ signals: Signals) async -> Int32 {
        useLog()
        return await ScriptRun(request, signals) { session in
            await session.runIfAny(request)
        }.run()
    }

    private static func run(_ command: any PipelineCommand, _ signals: Signals) async -> Int32 {
        useLog()
        return await ScriptRun(RunRequest(command.pipelines), signals) { session in
            guard !session.host.pipelines.isEmpty else { return session.failWithoutPipelines() }
            session.interruption.allowMoreTime()
            return await command.perform(on: session)
        }.run()
    }

    /// Scripts start often: they do without the parsers of all commands, unless there is something to complain about.
    private static func parse(_ line: [String]) throws -> any ParsableCommand {
        if line.first == "run", let command = try? RunCommand.parse(Array(line.dropFirst())) { return command }
        try ArgumentLine.check(line)
        return try ReplhostCommand.parseAsRoot(line)
    }

    private static func run(_ command: any ParsableCommand, _ signals: Signals) async throws -> Int32 {
        switch command {
        case let command as RunCommand: return await run(RunRequest(command), signals)
        case let command as any PipelineCommand: return await run(command, signals)
        case let command as TestCommand:
            useLog()
            return await TestRun(command, signals).run()
        case let command as TypesCommand:
            useLog()
            return await command.run(signals)
        case let command as ReplCommand:
            useLog()
            return await ReplRun(ReplRequest(command), signals).run()
        case let command as AttachCommand:
            useLog()
            switch await command.request() {
            case .success(let request): return await ReplRun(request, signals).run()
            case .failure(let report): return FailureReporter().fail([report])
            }
        case let command as InitCommand: return NewFiles(command).write()
        case let command as TopCommand: return await TopRun(command).run(signals)
        case let command as any SandboxAction:
            return command.run()
        default:
            // Help, which the parser writes by throwing it.
            var command = command
            try command.run()
            return ExitCode.done
        }
    }

    /// The host's own warnings go where the script's log goes.
    private static func useLog() {
        LoggingSystem.bootstrap { ScriptLog.output.handler(label: $0) }
    }

    /// Help and version are asked for; all else is wrong usage.
    private static func answer(_ error: any Error) -> Int32 {
        let text = ReplhostCommand.fullMessage(for: error) + "\n"
        guard ReplhostCommand.exitCode(for: error).isSuccess else {
            Terminal.writeError(usage(text))
            return ExitCode.wrongUsage
        }
        Terminal.write(text)
        return ExitCode.done
    }

    /// The parser's message in the shape of all errors.
    private static func usage(_ text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard let first = lines.first, first.hasPrefix("Error: ") else { return text }
        let heading = Terminal.errorPalette.paint("error[RH0101]", .error) + ": " + first.dropFirst(7)
        let rest = lines.dropFirst().map { line in
            line.hasPrefix("Help: ") ? "  " + Terminal.errorPalette.paint("help:", .help) + line.dropFirst(5) : line
        }
        return ([heading] + rest).joined(separator: "\n")
    }

    private static func end(_ code: Int32) -> Never {
        guard Terminal.flush() else {
            Terminal.writeError("error[RH0103]: cannot write standard output: some of it was lost\n")
            exit(code == ExitCode.done ? ExitCode.failed : code)
        }
        exit(code)
    }
}
