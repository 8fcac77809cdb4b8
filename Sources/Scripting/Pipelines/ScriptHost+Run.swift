import EventLoops
import Logging
import LuaRuntime
import Replication

/// A pipeline from its first row to its last change.
extension ScriptHost {
    private static let logger = Logger(label: "replhost")

    /// Copies, then follows the changes if the pipeline streams and there is a `control`. On the host's loop.
    func run(
        _ pipeline: LoadedPipeline, _ coordinator: CrewMember, _ control: StreamControl?, _ actor: isolated LoopActor
    ) async -> StepOutcome<PipelineResult> {
        let progress = (copy: CopyProgress(), stream: StreamProgress())
        let failure = RunFailure()
        pipelineState.begin(pipeline.definition, progress.copy, progress.stream, control, failure)
        // What `on_start` leaves behind runs here.
        worker?.scheduler.reportsTimers = true
        onTaskFailure = onTaskFailure ?? failure.note
        if let failure = await pipeline.call(.start) { return .failed(report(failure)) }
        var crew: [CrewMember]
        switch await makeCrew(pipeline, coordinator, failure) {
        case .success(let made): crew = made
        case .failure(let failure): return .failed(report(failure))
        }
        var outcome = StepOutcome<PipelineResult>.interrupted
        await failure.watch(
            actor.begin { [self] in outcome = await follow(pipeline, coordinator, &crew, progress, control) })
        if let first = failure.first { outcome = .failed(report(first)) }
        for member in crew { await member.end() }
        if let failure = await pipeline.call(.stop), case .done = outcome { return .failed(report(failure)) }
        return outcome
    }

    private func follow(
        _ pipeline: LoadedPipeline, _ coordinator: CrewMember, _ crew: inout [CrewMember],
        _ progress: (copy: CopyProgress, stream: StreamProgress), _ control: StreamControl?
    ) async -> StepOutcome<PipelineResult> {
        let started = ContinuousClock.now
        let definition = pipeline.definition
        let run = PipelineRun(
            definition, coordinator: coordinator, workers: crew, progress: progress.copy,
            streamProgress: progress.stream)
        defer { run.end() }
        do throws(ReplicationError) {
            let copied = try await run.copy()
            if !copied.wasComplete, let failure = await pipeline.call(.snapshotDone) { return .failed(report(failure)) }
            guard definition.isStreaming, let control else {
                return .done(PipelineResult(copied, definition.name, ContinuousClock.now - started))
            }
            while true {
                let end = try await run.stream(control)
                if end == .handedOver {
                    Self.logger.notice("pipeline \"\(definition.name)\" ends: a cut-over has taken it over")
                }
                guard end == .interrupted else { break }
                guard let renewed = pipelineState.takeRenewed(definition.name) else { return .interrupted }
                for member in crew { await member.end() }
                crew = renewed
                run.renew(renewed[0].definition ?? definition, renewed)
                Self.logger.info("pipeline \"\(definition.name)\" goes on with the changed file")
            }
            return .done(
                PipelineResult(copied, progress.stream.state, definition.name, ContinuousClock.now - started))
        } catch {
            return error.isCancellation ? .interrupted : .failed(report(error))
        }
    }

    // MARK: Another file

    /// Loads the file anew, and lets streams go on with it between two groups of changes. What is wrong with it is said in
    /// the log, and changes nothing. From any thread; false if nothing streams.
    package func reload() -> Bool {
        guard pipelineState.isStreaming else { return false }
        pipelineState.performBeside { [self] in await actor.run { [self] actor in await loadAnew(actor) } }
        return true
    }

    private func loadAnew(_ actor: isolated LoopActor) async {
        for pipeline in loaded where pipelineState.isStreaming(pipeline.definition.name) {
            let name = pipeline.definition.name
            let failure = pipelineState.failure(of: name)
            switch await makeCrew(pipeline, CrewMember(actor, pipeline), failure, isAnew: true) {
            case .failure(let failure): refuse(name, report(failure).line)
            case .success(let crew):
                await noteFiles(of: crew)
                if let problem = await problem(with: crew, instead: pipeline) {
                    for member in crew { await member.end() }
                    refuse(name, problem)
                } else {
                    for member in pipelineState.renew(name, crew) { await member.end() }
                }
            }
        }
    }

    private func noteFiles(of crew: [CrewMember]) async {
        guard let member = crew.first, let source else { return }
        pipelineState.note(files: await member.actor.run { _ in member.files(of: source) })
    }

    private func refuse(_ name: String, _ problem: String) {
        Self.logger.error("pipeline \"\(name)\" goes on as it was, the changed file is no good: \(problem)")
    }

    private func problem(with crew: [CrewMember], instead pipeline: LoadedPipeline) async -> String? {
        guard let member = crew.first, let definition = member.definition else { return "it has no pipeline" }
        guard member.source === pipeline.source, member.sink === pipeline.sink else {
            return "it names other databases: stop it and start it again"
        }
        guard definition.isStreaming else { return "it does not stream any more: stop it and start it again" }
        let notes: [CheckNote]
        do throws(ReplicationError) {
            notes = try await member.actor.run { _ throws(ReplicationError) in
                try await CheckRun(definition, member).run()
            }
        } catch {
            return report(error).line
        }
        return notes.lazy.compactMap { CheckFinding($0, definition.name, self.report) }
            .first { $0.severity == .error && $0.report.code != "RH3309" }?.report.line
    }
}
