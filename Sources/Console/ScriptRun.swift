import Scripting

/// One run of a script, with what may come in between.
struct ScriptRun {
    private let request: RunRequest
    private let signals: Signals

    init(_ request: RunRequest, _ signals: Signals) {
        self.request = request
        self.signals = signals
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
        let outcome = await host.run(source)
        var own = report(outcome, reporter)
        if own == ExitCode.done, !host.pipelines.isEmpty { own = report(await host.runPipelines(), reporter) }
        let code = interruption.code(or: own)
        // What was printed is shown before closing, which may wait for a server.
        Terminal.flush()
        interruption.end(with: code)
        await host.close()
        return code
    }

    private func report(_ outcome: ScriptOutcome, _ reporter: FailureReporter) -> Int32 {
        switch outcome {
        case .finished: ExitCode.done
        case .exited(let code): code
        case .interrupted: ExitCode.interrupted
        case .failed(let failures):
            reporter.fail(failures.map { explained(FailureReport($0, showsValues: request.showsValues)) })
        }
    }

    private func report(_ outcome: PipelineOutcome<[PipelineResult]>, _ reporter: FailureReporter) -> Int32 {
        switch outcome {
        case .done(let results):
            for result in results {
                Terminal.writeError("\(result.pipeline): \(result.read) rows read, \(result.written) written\n")
            }
            return ExitCode.done
        case .interrupted: return ExitCode.interrupted
        case .failed(let reports): return reporter.fail(reports)
        }
    }

    /// A file that is not there may have been meant as a command.
    private func explained(_ report: FailureReport) -> FailureReport {
        guard report.code == "RH1007", report.hint == nil, let word = request.script.first,
            !word.contains("/"), !word.contains("."), let name = Spelling.nearest(word, of: ArgumentLine.commands)
        else { return report }
        var report = report
        report.hint = "Did you mean the command \"\(name)\"?"
        return report
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
