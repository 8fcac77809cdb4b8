import Scripting

/// A host whose script has ended well, and where commands show what they find.
struct PipelineSession {
    let host: ScriptHost
    let reporter: FailureReporter
    let interruption: Interruption
    /// The script, as it was named.
    let path: String
    let isJSON: Bool

    /// To standard output.
    func write(_ view: some ReportView) {
        Terminal.write(isJSON ? view.json + "\n" : view.text(Terminal.outputPalette))
    }

    /// Writes the view; the exit code of a command that has no more to say.
    func done(_ view: some ReportView) -> Int32 {
        write(view)
        return ExitCode.done
    }

    /// Shows what came out, or says why nothing did; the exit code.
    func show<Value>(_ outcome: PipelineOutcome<Value>, _ body: (Value) async -> Int32) async -> Int32 {
        if case .done(let value) = outcome { return await body(value) }
        return showFailure(outcome)
    }

    func show<Value>(_ outcome: PipelineOutcome<Value>, _ body: (Value) -> Int32) -> Int32 {
        if case .done(let value) = outcome { return body(value) }
        return showFailure(outcome)
    }

    private func showFailure<Value>(_ outcome: PipelineOutcome<Value>) -> Int32 {
        switch outcome {
        case .done: ExitCode.done
        case .interrupted: ExitCode.interrupted
        case .failed(let reports): reporter.fail(reports)
        }
    }

    func failWithoutPipelines() -> Int32 {
        let report = FailureReport(
            code: "RH3480", "\(path) returns no pipeline",
            hint: "End the file with: return rh.pipeline \"name\" { source = …, sink = …, tables = … }")
        return reporter.fail([report])
    }

    /// Asks on a terminal whether to go on; an exit code if not.
    func refusal() async -> Int32? {
        guard Terminal.inputIsTerminal else {
            let report = FailureReport(
                code: "RH3482", "nobody is there to confirm it", hint: "--yes does it without asking.")
            _ = reporter.fail([report])
            return ExitCode.wrongUsage
        }
        Terminal.writeError("Go on? [y/N] ")
        let answer = await interruption.asking { await LineReader().next() }?.lowercased()
        return answer == "y" || answer == "yes" ? nil : ExitCode.failed
    }
}

// MARK: - Copying

extension PipelineSession {
    /// Runs the pipelines that a script has returned, if it has.
    func runIfAny(_ request: RunRequest) async -> Int32 {
        guard !host.pipelines.isEmpty else {
            return request.listen == nil ? ExitCode.done : reporter.fail([Self.nothingToShow])
        }
        interruption.allowMoreTime()
        let server: RunServer
        do { server = try await self.server(for: request) } catch { return reporter.fail([error]) }
        return await server.serving {
            await copying(isQuiet: request.isQuiet) { host in
                request.isWatching
                    ? await Self.watching(host, request.isOnce) : await host.runPipelines(once: request.isOnce)
            }
        }
    }

    private static let nothingToShow = FailureReport(
        code: "RH0113", "the script returns no pipeline: --listen has nothing to show",
        hint: "End the file with: return rh.pipeline \"name\" { … }")

    private func server(for request: RunRequest) async throws(FailureReport) -> RunServer {
        let token: String?
        do { token = try request.tokenFile.map(TokenFile.read) } catch { throw error.report }
        do { return try await RunServer.start(host, request.listen.map { ($0, token) }) } catch { throw error.report }
    }

    private static func watching(_ host: ScriptHost, _ isOnce: Bool) async -> PipelineOutcome<[PipelineResult]> {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await host.watchSources() }
            let outcome = await host.runPipelines(once: isOnce)
            group.cancelAll()
            return outcome
        }
    }

    /// Copies with progress, and sums up.
    func copying(
        isQuiet: Bool, _ work: @escaping (ScriptHost) async -> PipelineOutcome<[PipelineResult]>
    ) async -> Int32 {
        let (outcome, rowsBefore) = await following(isQuiet: isQuiet, work)
        if case .interrupted = outcome { interruption.remark(RunSummary.interrupted(host.progress().latest)) }
        return show(outcome) { results in
            let summary = RunSummary(results: results, rowsBefore: rowsBefore, path: path)
            if isJSON { write(summary) }
            Terminal.writeError(summary.text(Terminal.errorPalette))
            return ExitCode.done
        }
    }

    /// Shows how the work gets on. Also, how many rows each pipeline had at first, as far as that was seen.
    func following<Value>(
        isQuiet: Bool, _ work: (ScriptHost) async -> Value
    ) async -> (value: Value, rowsBefore: [String: Int]) {
        guard !isQuiet else { return (await work(host), [:]) }
        let display = ProgressDisplay(host)
        return await withTaskGroup(of: [String: Int].self) { group in
            group.addTask { await display.follow() }
            let value = await work(host)
            group.cancelAll()
            return (value, await group.next() ?? [:])
        }
    }
}
