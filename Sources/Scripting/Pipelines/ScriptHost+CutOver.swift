import EventLoops
import LuaRuntime
import PostgresProtocol
import Replication

/// The end of a pipeline, and the way back after it.
extension ScriptHost {
    /// Ends pipelines with everything in the target that the source has.
    package func cutOver(_ options: CutOverOptions) async -> PipelineOutcome<[CutOverReport]> {
        await together { [self] actor, pipeline, coordinator in
            let started = ContinuousClock.now
            let progress = (copy: CopyProgress(), stream: StreamProgress())
            let name = pipeline.definition.name
            pipelineState.begin(pipeline.definition, progress.copy, progress.stream, nil)
            return await withCrew(pipeline, coordinator, actor) { _, crew throws(ReplicationError) in
                let run = CutOverRun(
                    pipeline.definition, coordinator: coordinator, workers: crew, options: options.replication,
                    progress: progress.copy, streamProgress: progress.stream)
                let result = try await run.perform()
                let duration = ContinuousClock.now - started
                return CutOverReport(
                    pipeline: name, isDone: result.isDone, position: result.position.description,
                    sequences: result.sequences, hasWayBack: result.isDone && options.preparesWayBack,
                    verifications: result.verifications.map { VerifyReport($0, name, duration) }, duration: duration)
            }
        }
    }

    /// The pipeline that takes a target's changes back to its old source.
    func wayBack(of pipeline: LoadedPipeline, _ actor: isolated LoopActor) async -> StepOutcome<LoadedPipeline> {
        let worker = CrewMember(actor, pipeline)
        do throws(ReplicationError) {
            return .done(
                LoadedPipeline(wayBack: try await WayBack.definition(pipeline.definition, worker), of: pipeline))
        } catch {
            return error.isCancellation ? .interrupted : .failed(report(error))
        }
    }
}

extension CutOverOptions {
    fileprivate var replication: CutOverRun.Options {
        var options = CutOverRun.Options()
        options.setsReadOnly = setsReadOnly
        options.verifies = verifies
        options.preparesWayBack = preparesWayBack
        return options
    }
}
