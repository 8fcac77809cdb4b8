import EventLoops
import Replication
import Synchronization

/// What a tap tells of.
package enum TapEvent: Sendable {
    /// What is committed from now on will be shown; the pipeline's name.
    case begun(pipeline: String)
    case change(TapReport)
    /// Everything that has come was told.
    case rest
}

extension ScriptHost {
    /// Tells of changes as they pass on the sources, of all tables or of the one that is named. Writes nothing, and leaves
    /// the pipelines' slots alone. Until `tell` answers false, or the host is interrupted; `tell` is called on the host's
    /// loop.
    package func tap(table: String?, _ tell: @escaping @Sendable (TapEvent) -> Bool) async -> PipelineOutcome<Void> {
        await tap(table: table, trying: nil, tell)
    }

    /// - Parameter trial: runs in the place of the tables' own functions.
    func tap(
        table: String?, trying trial: TransformFunction?, _ tell: @escaping @Sendable (TapEvent) -> Bool
    ) async -> PipelineOutcome<Void> {
        let hasEnough = Atomic(false)
        let outcome: PipelineOutcome<[Void]> = await together { [self] actor, pipeline, coordinator in
            await step(actor) { actor throws(ReplicationError) in
                let name = pipeline.definition.name
                let only = try table.map(Self.tableName)
                pipeline.trial = trial
                defer { pipeline.trial = nil }
                let definition = trial == nil ? pipeline.definition : pipeline.definition.withFunctions
                try await TapRun(definition, coordinator).run(only: only, on: actor) {
                    _ = tell(.begun(pipeline: name))
                } onRest: {
                    _ = tell(.rest)
                } _: { change in
                    tell(.change(TapReport(change, name, self.report)))
                }
                // Those of other pipelines end with this one.
                hasEnough.store(true, ordering: .relaxed)
                pipelineState.cancel()
            }
        }
        return hasEnough.load(ordering: .relaxed) ? .done(()) : outcome.map { _ in () }
    }
}

extension PipelineDefinition {
    /// All of its tables have one.
    fileprivate var withFunctions: PipelineDefinition {
        var definition = self
        for index in definition.rules.indices {
            guard case .copy(var options) = definition.rules[index].action else { continue }
            options.hasTransform = true
            definition.rules[index].action = .copy(options)
        }
        return definition
    }
}
