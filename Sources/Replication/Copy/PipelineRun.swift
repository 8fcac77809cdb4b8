import EventLoops
import Postgres
import PostgresProtocol

/// Copies what a pipeline has not copied yet, then follows the changes: from nothing, after a crash, after the loss of a
/// server. Lives on the loop of its coordinator.
package final class PipelineRun {
    /// What copying came to.
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
    package let streamProgress: StreamProgress
    let definition: PipelineDefinition
    let coordinator: any PipelineWorker
    let workers: [any PipelineWorker]
    let throttle: Throttle
    /// Of the last attempt, on the target. It may still be there when the way to it was lost.
    var session: Int?

    package init(
        _ definition: PipelineDefinition, coordinator: any PipelineWorker, workers: [any PipelineWorker],
        progress: CopyProgress, streamProgress: StreamProgress = StreamProgress()
    ) {
        self.definition = definition
        self.coordinator = coordinator
        self.workers = workers
        self.progress = progress
        self.streamProgress = streamProgress
        throttle = Throttle(definition.throttle)
    }

    /// Copies to the end. A lost server is waited for, and copying goes on from what is committed.
    package func copy() async throws(ReplicationError) -> Result {
        guard definition.snapshot.mode != .never else {
            progress.enter(.done)
            return Result(wasComplete: true)
        }
        return try await patiently { [progress] in
            progress.state.tables.reduce(0) { $0 + $1.chunksDone }
        } noting: { [progress] note in
            progress.enter(.waiting, note: note)
        } attempt: { [self] session throws(ReplicationError) in
            try await CopyAttempt(self, session).run()
        }
    }

    /// Follows the changes until `control` ends it; copies first what is not copied yet. A lost server is waited for.
    package func stream(_ control: StreamControl) async throws(ReplicationError) -> StreamControl.End {
        try await patiently { [streamProgress] in
            Int(truncatingIfNeeded: streamProgress.state.position.rawValue)
        } noting: { [streamProgress] note in
            streamProgress.enter(.waiting, note: note)
        } attempt: { [self] session throws(ReplicationError) in
            while true {
                if definition.snapshot.mode != .never { _ = try await CopyAttempt(self, session).run() }
                if let end = try await StreamAttempt(self, session, control).run() { return end }
            }
        }
    }

    /// Tries again with new connections while that may help.
    private func patiently<Value>(
        measuring measure: () -> Int, noting note: (String) -> Void,
        attempt: (PipelineSession) async throws(ReplicationError) -> Value
    ) async throws(ReplicationError) -> Value {
        var lastSuccess = ContinuousClock.now
        var pause: Duration = .milliseconds(250)
        var before = measure()
        while true {
            do throws(ReplicationError) { return try await withSession(attempt) } catch {
                let now = measure()
                if now != before { (before, lastSuccess, pause) = (now, .now, .milliseconds(250)) }
                guard session != nil, error.isTransient, ContinuousClock.now - lastSuccess < Self.patience else {
                    throw error
                }
                note("\(error); trying again")
                do { try await coordinator.actor.loop.sleep(until: .now + pause) } catch { throw .cancelled }
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    private func withSession<Value>(
        _ body: (PipelineSession) async throws(ReplicationError) -> Value
    ) async throws(ReplicationError) -> Value {
        progress.enter(.connecting)
        let loop = coordinator.actor.loop
        let target = try await WorkerConnections.borrow(coordinator.sink, .target, on: loop)
        defer { coordinator.sink.release(target, discard: true) }
        let source = try await WorkerConnections.borrow(coordinator.source, .source, on: loop)
        defer { coordinator.source.release(source) }
        let session = PipelineSession(
            self, source: try WorkerConnections.connection(of: source, .source),
            target: try WorkerConnections.connection(of: target, .target))
        try await session.open()
        return try await body(session)
    }
}
