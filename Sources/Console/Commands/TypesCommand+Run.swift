import Scripting

extension TypesCommand {
    func run(_ signals: Signals) async -> Int32 {
        guard let source else { return printDefinitions() }
        return await ScriptRun(request(source), signals) { session in
            guard !session.host.pipelines.isEmpty else { return session.failWithoutPipelines() }
            session.interruption.allowMoreTime()
            return session.show(explained(await session.host.types(), source)) { tables in
                finish(tables, source, session)
            }
        }.run()
    }

    private func printDefinitions() -> Int32 {
        guard let text = DefinitionFile.text else {
            return FailureReporter().fail([
                FailureReport(
                    code: "RH1006", "cannot find the definitions of the API",
                    hint: "Keep the folder \"stdlib\" beside the executable, or above it.")
            ])
        }
        return deliver(text)
    }

    /// A database is a pipeline of all its tables.
    private func request(_ source: Source) -> RunRequest {
        var request: RunRequest
        switch source {
        case .file(let path): request = RunRequest(text: nil, script: [path])
        case .dsn(let dsn):
            request = RunRequest(text: Self.everyTable(of: dsn), script: [])
            request.isOurs = true
        }
        request.options = settings.apply(arguments: [])
        request.options.showsValues = showValues
        request.isJSON = json
        request.isBare = false
        return request
    }

    private static func everyTable(of dsn: String) -> String {
        """
        local rh = require "replhost"
        local pool = rh.pool { dsn = \(LuaLiteral.quoted(dsn)), fail_fast_after = 0.2 }
        return rh.pipeline "types" { source = pool, sink = pool, tables = { ["*.*"] = rh.copy } }
        """
    }

    /// Who named a database has no pipeline, and no source.
    private func explained(
        _ outcome: PipelineOutcome<[TableTypes]>, _ source: Source
    ) -> PipelineOutcome<[TableTypes]> {
        guard case .dsn = source, case .failed(let reports) = outcome else { return outcome }
        return .failed(reports.map(Self.explained))
    }

    private static func explained(_ report: FailureReport) -> FailureReport {
        guard report.code != "RH3302" else {
            return FailureReport(
                code: "RH3493", "the database has no tables",
                hint: "Those of the system, of extensions and of replhost itself do not count.")
        }
        var report = report
        report.message.trimPrefix("source: ")
        return report
    }

    private func finish(_ tables: [TableTypes], _ source: Source, _ session: PipelineSession) -> Int32 {
        var tables = tables
        if case .dsn = source { tables = tables.map(\.withoutPipeline) }
        if json { return deliver(TypesView(tables: tables).json + "\n") }
        guard record != nil else { return deliver(TypeDefinitions(tables, of: name(source)).text) }
        let recorded = RecordedTypes(tables, of: name(source))
        if let conflict = recorded.conflict { return session.reporter.fail([conflict]) }
        return deliver(recorded.text)
    }

    /// A connection string stays out of files: a password may be in it.
    private func name(_ source: Source) -> String {
        switch source {
        case .file(let path): String(path.split(separator: "/").last ?? "-")
        case .dsn: "a database"
        }
    }

    private func deliver(_ text: String) -> Int32 {
        guard let path else {
            Terminal.write(text)
            return ExitCode.done
        }
        do throws(FailureReport) {
            try WrittenFile(path).replace(with: text)
            return ExitCode.done
        } catch {
            return FailureReporter().fail([error])
        }
    }
}
