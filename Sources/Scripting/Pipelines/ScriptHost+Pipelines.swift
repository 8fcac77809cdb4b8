import EventLoops
import LuaRuntime
import PostgresProtocol
import Replication

/// What commands do with the pipelines of a file. `run(.file)` comes first, and gives `pipelines`.
extension ScriptHost {
    /// Those that the file has returned; empty for a plain script.
    package var pipelines: [PipelineSummary] { pipelineState.names.map { PipelineSummary(name: $0) } }

    /// How far the pipelines that run are; from any thread.
    package func progress() -> [PipelineProgress] {
        pipelineState.running.map(PipelineProgress.init)
    }

    /// Copies what was not copied yet, then follows the changes of those pipelines that stream; all at once. Interrupted
    /// (`interrupt()`), it ends in good order.
    /// - Parameter once: ends when it has caught up with what the sources had when it began.
    package func runPipelines(once: Bool = false) async -> PipelineOutcome<[PipelineResult]> {
        await together { [self] actor, pipeline, coordinator in
            await run(pipeline, coordinator, StreamControl(once: once), actor)
        }
    }

    /// Copies one table (as the pipeline names it on the source) anew; no result if whoever runs the pipeline has been
    /// asked to do it.
    package func resnapshot(_ table: String) async -> PipelineOutcome<[PipelineResult]> {
        await one { [self] actor, pipeline, coordinator -> StepOutcome<[PipelineResult]> in
            do throws(ReplicationError) {
                let isOurs = try await Resnapshot(pipeline.definition, coordinator).prepare(try Self.tableName(table))
                guard isOurs else { return .done([]) }
            } catch {
                return .failed(report(error))
            }
            return switch await run(pipeline, coordinator, nil, actor) {
            case .done(let result): .done([result])
            case .failed(let report): .failed(report)
            case .interrupted: .interrupted
            }
        }.map { $0.flatMap(\.self) }
    }

    package func verify(repair: Bool, table: String?) async -> PipelineOutcome<[VerifyReport]> {
        await together { [self] actor, pipeline, coordinator in
            let started = ContinuousClock.now
            let progress = CopyProgress()
            pipelineState.begin(pipeline.definition, progress)
            return await withCrew(pipeline, coordinator, actor) { _, crew throws(ReplicationError) in
                let run = VerifyRun(
                    pipeline.definition, coordinator: coordinator, workers: crew, repairs: repair,
                    only: try table.map(Self.tableName), progress: progress)
                let found = try await run.run()
                return found.map { VerifyReport($0, pipeline.definition.name, ContinuousClock.now - started) }
            }
        }.map { $0.flatMap(\.self) }
    }

    /// Runs `body` with workers, which end with it. On the host's loop.
    func withCrew<Value: Sendable>(
        _ pipeline: LoadedPipeline, _ coordinator: CrewMember, _ actor: isolated LoopActor,
        _ body: @Sendable (isolated LoopActor, [CrewMember]) async throws(ReplicationError) -> Value
    ) async -> StepOutcome<Value> {
        let crew: [CrewMember]
        switch await makeCrew(pipeline, coordinator) {
        case .success(let made): crew = made
        case .failure(let failure): return .failed(report(failure))
        }
        let outcome: StepOutcome<Value>
        do throws(ReplicationError) { outcome = .done(try await body(actor, crew)) } catch {
            outcome = error.isCancellation ? .interrupted : .failed(report(error))
        }
        for member in crew { await member.end() }
        return outcome
    }

    /// Workers that have loaded the file as it is now.
    /// - Parameters:
    ///   - failure: of the run that they are for, with which the file's timers run.
    ///   - isAnew: the file has changed: `pipeline` is what it was before.
    func makeCrew(
        _ pipeline: LoadedPipeline, _ coordinator: CrewMember, _ failure: RunFailure? = nil, isAnew: Bool = false
    ) async -> Result<[CrewMember], LuaFailure> {
        guard let source else { return .success([]) }
        let definition = pipeline.definition
        var crew: [CrewMember] = []
        for number in 1...CrewSize.count(definition, pipeline.source, pipeline.sink) {
            switch await CrewMember.make(
                number, for: definition.name, of: source, workerOptions(pipeline), like: coordinator,
                needsLua: isAnew || pipeline.needsWorkers || (number == 1 && failure != nil && hasTimers), failure
            ) {
            case .success(let member): crew.append(member)
            case .failure(let failure):
                for member in crew { await member.end() }
                return .failure(failure)
            }
        }
        return .success(crew)
    }

    private func workerOptions(_ pipeline: LoadedPipeline) -> ScriptOptions {
        var options = options
        if let memory = pipeline.limits.memory { options.memoryLimit = memory }
        return options
    }

    static func tableName(_ text: String) throws(ReplicationError) -> QualifiedName {
        guard let name = QualifiedName(parsing: text) else {
            throw .mismatch(
                code: "RH3408", "\"\(text)\" is no table name",
                hint: "Write schema.table; names with other characters go in double quotes.")
        }
        return QualifiedName(schema: name.schema ?? "public", name: name.name)
    }

    // MARK: All pipelines, one pipeline

    /// Runs `body` for all pipelines at once, on the host's loop; the first that fails ends the others.
    func together<Value: Sendable>(
        _ body: @escaping @Sendable (isolated LoopActor, LoadedPipeline, CrewMember) async -> StepOutcome<Value>
    ) async -> PipelineOutcome<[Value]> {
        await pipelineState.perform { [self] in
            let names = pipelineState.names
            let outcomes = await withTaskGroup(of: (Int, StepOutcome<Value>).self) { group in
                for index in names.indices {
                    group.addTask { [self] in (index, await onLoop(index, body)) }
                }
                var outcomes: [Int: StepOutcome<Value>] = [:]
                for await (index, outcome) in group {
                    outcomes[index] = outcome
                    if case .done = outcome { continue }
                    group.cancelAll()
                }
                return names.indices.compactMap { outcomes[$0] }
            }
            return Self.joined(outcomes, isCancelled: pipelineState.isCancelled)
        }
    }

    private func onLoop<Value: Sendable>(
        _ index: Int,
        _ body: @escaping @Sendable (isolated LoopActor, LoadedPipeline, CrewMember) async -> StepOutcome<Value>
    ) async -> StepOutcome<Value> {
        await actor.run { [self] actor in
            var pipeline = loaded[index]
            if options.isWayBack {
                switch await wayBack(of: pipeline, actor) {
                case .done(let back): pipeline = back
                case .failed(let report): return .failed(report)
                case .interrupted: return .interrupted
                }
            }
            return await body(actor, pipeline, CrewMember(actor, pipeline))
        }
    }

    /// For commands that mean one pipeline: the file's only one.
    private func one<Value: Sendable>(
        _ body: @escaping @Sendable (isolated LoopActor, LoadedPipeline, CrewMember) async -> StepOutcome<Value>
    ) async -> PipelineOutcome<[Value]> {
        guard pipelineState.names.count == 1 else {
            return .failed([
                FailureReport(
                    code: "RH3409", "the file returns \(pipelineState.names.count) pipelines, the command works on one",
                    hint: "Give the pipeline a file of its own.")
            ])
        }
        return await together(body)
    }

    private static func joined<Value>(
        _ outcomes: [StepOutcome<Value>], isCancelled: Bool
    ) -> PipelineOutcome<[Value]> {
        var values: [Value] = []
        var failures: [FailureReport] = []
        var isInterrupted = isCancelled
        for outcome in outcomes {
            switch outcome {
            case .done(let value): values.append(value)
            case .failed(let report): failures.append(report)
            case .interrupted: isInterrupted = true
            }
        }
        if !failures.isEmpty && !isCancelled { return .failed(failures) }
        return isInterrupted ? .interrupted : .done(values)
    }

    func report(_ error: ReplicationError) -> FailureReport { FailureReport(error, showsValues: options.showsValues) }

    func report(_ failure: LuaFailure) -> FailureReport { FailureReport(failure, showsValues: options.showsValues) }
}

/// What came of one pipeline's part of a command.
enum StepOutcome<Value: Sendable>: Sendable {
    case done(Value)
    case failed(FailureReport)
    case interrupted
}

extension PipelineOutcome {
    func map<Other>(_ change: (Value) -> Other) -> PipelineOutcome<Other> {
        switch self {
        case .done(let value): .done(change(value))
        case .failed(let reports): .failed(reports)
        case .interrupted: .interrupted
        }
    }
}
