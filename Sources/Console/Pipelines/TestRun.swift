import Scripting

/// Runs test files one after the other, and shows each case as it ends.
struct TestRun {
    private let command: TestCommand
    private let signals: Signals
    private let palette = Terminal.outputPalette

    init(_ command: TestCommand, _ signals: Signals) {
        self.command = command
        self.signals = signals
    }

    func run() async -> Int32 {
        var options = command.settings.apply(arguments: [])
        options.showsValues = command.showValues
        var summary = TestSummary()
        do throws(TestFilesError) {
            for path in try TestFiles.find(command.paths) {
                guard await run(path, options, &summary) else {
                    finish(summary)
                    return ExitCode.interrupted
                }
            }
        } catch {
            return FailureReporter().fail([error.report])
        }
        finish(summary)
        if summary.isEmpty { return FailureReporter().fail([nothing]) }
        return summary.hasFailures ? ExitCode.failed : ExitCode.done
    }

    private func finish(_ summary: TestSummary) {
        Terminal.write(command.json ? summary.json + "\n" : summary.text(palette))
    }

    private var nothing: FailureReport {
        if let filter = command.filter { return FailureReport(code: "RH3485", "no case has \"\(filter)\" in its name") }
        return FailureReport(
            code: "RH3485", "there are no test cases", hint: "Tests are in files whose names end with _test.lua.")
    }

    /// False if it was interrupted.
    private func run(_ path: String, _ options: ScriptOptions, _ summary: inout TestSummary) async -> Bool {
        let host: ScriptHost
        do {
            host = try await ScriptHost.start(options)
        } catch {
            summary.files.append(.init(path: path, failures: [FailureReport(error)]))
            return true
        }
        let interruption = Interruption(host)
        signals.react(interruption.note)
        var result = TestSummary.File(path: path)
        let isComplete = await run(TestFile(path: path, host: host, showsValues: options.showsValues), &result)
        summary.files.append(result)
        Terminal.flush()
        interruption.end(with: isComplete ? ExitCode.done : ExitCode.interrupted)
        await host.close()
        signals.react(nil)
        Signals.expire(after: 0)
        return isComplete
    }

    private func run(_ file: TestFile, _ result: inout TestSummary.File) async -> Bool {
        show(palette.paint(TerminalText.escaped(file.path), .help) + "\n")
        let (ending, cases) = await file.load()
        if case .interrupted = ending { return false }
        if case .failed(let reports) = ending {
            result.failures = reports
            show("  \(palette.paint("failed", .error))  to load\n" + text(reports, file))
        }
        for testCase in cases where command.filter.map({ testCase.name.contains($0) }) ?? true {
            let ending = await file.run(testCase)
            if case .interrupted = ending { return false }
            result.cases.append(.init(name: testCase.name, ending: ending))
            show(line(testCase.name, ending, file))
        }
        return true
    }

    private func line(_ name: String, _ ending: TestFile.Ending, _ file: TestFile) -> String {
        let name = TerminalText.escaped(name)
        guard case .failed(let reports) = ending else { return "  \(palette.paint("ok", .done))      \(name)\n" }
        return "  \(palette.paint("failed", .error))  \(name)\n" + text(reports, file)
    }

    private func text(_ reports: [FailureReport], _ file: TestFile) -> String {
        let text = FailureReporter(script: file.path, palette: palette).text(reports)
        return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            .map { $0.isEmpty ? "\n" : "    \($0)\n" }.joined()
    }

    private func show(_ text: String) {
        guard !command.json else { return }
        Terminal.write(text)
        Terminal.flush()
    }
}
