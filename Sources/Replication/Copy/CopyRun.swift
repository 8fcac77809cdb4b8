import EventLoops
import Postgres
import PostgresProtocol

/// Copies what a pipeline has not copied yet: from nothing, after a crash, after the loss of a server. Lives on the loop of
/// its coordinator.
package final class CopyRun {
    /// What it came to.
    package struct Result: Sendable {
        /// There was nothing left to do.
        package var wasComplete = false
        package var tables = 0
        package var counts = ChunkOutput.Counts()
    }

    /// How long lost servers are waited for.
    private static let patience: Duration = .seconds(600)
    private static let longestPause: Duration = .seconds(10)

    package let progress: CopyProgress
    let definition: PipelineDefinition
    let coordinator: any PipelineWorker
    private let workers: [any PipelineWorker]
    private let throttle: Throttle
    /// Of the last attempt, on the target. It may still be there when the way to it was lost.
    var session: Int?

    package init(
        _ definition: PipelineDefinition, coordinator: any PipelineWorker, workers: [any PipelineWorker],
        progress: CopyProgress
    ) {
        self.definition = definition
        self.coordinator = coordinator
        self.workers = workers
        self.progress = progress
        throttle = Throttle(definition.throttle)
    }

    /// Copies to the end. A lost server is waited for, and copying goes on from what is committed.
    package func run() async throws(ReplicationError) -> Result {
        guard definition.snapshot.mode != .never else {
            progress.enter(.done)
            return Result(wasComplete: true)
        }
        var lastSuccess = ContinuousClock.now
        var pause: Duration = .milliseconds(250)
        var before = 0
        while true {
            do throws(ReplicationError) { return try await attempt() } catch {
                let done = progress.state.tables.reduce(0) { $0 + $1.chunksDone }
                if done > before { (before, lastSuccess, pause) = (done, .now, .milliseconds(250)) }
                guard session != nil, error.isTransient, ContinuousClock.now - lastSuccess < Self.patience else {
                    throw error
                }
                progress.enter(.waiting, note: "\(error); trying again")
                do { try await coordinator.actor.loop.sleep(until: .now + pause) } catch { throw .cancelled }
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    private func attempt() async throws(ReplicationError) -> Result {
        progress.enter(.connecting)
        let loop = coordinator.actor.loop
        let target = try await WorkerConnections.borrow(coordinator.sink, .target, on: loop)
        defer { coordinator.sink.release(target, discard: true) }
        let source = try await WorkerConnections.borrow(coordinator.source, .source, on: loop)
        defer { coordinator.source.release(source) }
        let attempt = CopyAttempt(
            self, source: try WorkerConnections.connection(of: source, .source),
            target: try WorkerConnections.connection(of: target, .target))
        return try await attempt.run(workers, throttle)
    }
}
