import EventLoops
import LuaRuntime

extension ReplBackend {
    /// Tells of changes as they pass through the pipelines of the session's script (`ScriptHost.tap`).
    /// - Parameter function: Lua code of a function that is tried in the place of the table's own.
    package func tap(
        table: String?, function: String?, _ tell: @escaping @Sendable (TapEvent) -> Bool
    ) async -> PipelineOutcome<Void> {
        guard !host.pipelines.isEmpty else {
            return .failed([
                FailureReport(
                    code: "RH0311", "the session has no pipeline whose changes could be shown",
                    hint: "Begin it with the pipeline's file: replhost repl FILE, or replhost attach.")
            ])
        }
        host.pipelineState.allowMore()
        guard let function else { return await host.tap(table: table, tell) }
        switch await compile(function) {
        case .failure(let report): return .failed([report])
        case .success(let reference):
            let outcome = await host.tap(
                table: table, trying: TransformFunction(reference: reference, isBatch: false), tell)
            await host.actor.run { [self] _ in try? worker().state.stack.release(reference) }
            return outcome
        }
    }

    private func compile(_ text: String) async -> Result<LuaReference, FailureReport> {
        await host.actor.run { [self] _ in
            do throws(ScriptError) {
                let worker = try worker()
                try worker.state.load("return \(text)", named: "=stdin")
                let task = worker.start()
                if case .failed(let failures) = await host.finish(worker, task), let first = failures.first {
                    return .failure(FailureReport(first))
                }
                guard let results = task.results, results.count == 1, results.type(at: 1) == .function else {
                    return .failure(
                        FailureReport(code: "RH0312", "\"\(text)\" is no function", hint: "Write function(row) … end."))
                }
                return .success(results.makeReference())
            } catch {
                return .failure(FailureReport(error))
            }
        }
    }
}
