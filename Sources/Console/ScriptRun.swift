import Scripting

/// One run of a script, with what may come in between, and what is done with the pipelines that it returns.
struct ScriptRun {
    private let request: RunRequest
    private let signals: Signals
    private let sequel: (PipelineSession) async -> Int32

    /// `sequel` is what follows a script that has ended well; it gives the exit code.
    init(_ request: RunRequest, _ signals: Signals, then sequel: @escaping (PipelineSession) async -> Int32) {
        self.request = request
        self.signals = signals
        self.sequel = sequel
    }

    func run() async -> Int32 {
        let source: ScriptSource
        let reporter: FailureReporter
        do {
            (source, reporter) = try readSource()
        } catch {
            return FailureReporter().fail([error.report])
        }
        do {
            let host = try await ScriptHost.start(request.options)
            return await run(source, on: host, reporter)
        } catch {
            return reporter.fail([FailureReport(error)])
        }
    }

    private func run(_ source: ScriptSource, on host: ScriptHost, _ reporter: FailureReporter) async -> Int32 {
        let interruption = Interruption(host)
        signals.react(interruption.note)
        let session = PipelineSession(
            host: host, reporter: reporter, interruption: interruption, path: request.script.first ?? "-",
            isJSON: request.isJSON)
        let code = interruption.code(or: await proceed(from: await host.run(source), session))
        // What was printed is shown before closing, which may wait for a server.
        Terminal.flush()
        interruption.end(with: code)
        await host.close()
        return code
    }

    private func proceed(from outcome: ScriptOutcome, _ session: PipelineSession) async -> Int32 {
        switch outcome {
        case .finished: await sequel(session)
        case .exited(let code): code
        case .interrupted: ExitCode.interrupted
        case .failed(let failures):
            fail(failures.map { explained(FailureReport($0, showsValues: request.options.showsValues)) }, session)
        }
    }

    private func fail(_ reports: [FailureReport], _ session: PipelineSession) -> Int32 {
        let code = session.reporter.fail(reports)
        return reports.contains { meantCommand($0) != nil } ? ExitCode.wrongUsage : code
    }

    private func explained(_ report: FailureReport) -> FailureReport {
        if request.isOurs { return report.withoutPlace }
        guard let name = meantCommand(report) else { return report }
        var report = report
        report.hint = "Did you mean the command \"\(name)\"?"
        return report
    }

    /// A file that is not there may have been meant as a command.
    private func meantCommand(_ report: FailureReport) -> String? {
        guard request.isBare, report.code == "RH1007", let word = request.script.first,
            !word.contains("/"), !word.contains(".")
        else { return nil }
        return Spelling.nearest(word, of: ArgumentLine.commands)
    }

    private func readSource() throws(InputError) -> (ScriptSource, FailureReporter) {
        if let text = request.text {
            return (.text(text, name: "=(command line)"), FailureReporter(texts: ["(command line)": text]))
        }
        let path = request.script[0]
        guard path == "-" else { return (.file(path), FailureReporter(script: path)) }
        let text = try StandardInput.read()
        return (.text(text, name: "=stdin"), FailureReporter(texts: ["stdin": text]))
    }
}

extension FailureReport {
    fileprivate var withoutPlace: FailureReport {
        var report = self
        (report.place, report.calls) = (nil, [])
        return report
    }
}
