import EventLoops
import Logging
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

    private static let logger = Logger(label: "replhost")

    package let progress: CopyProgress
    package let streamProgress: StreamProgress
    private(set) var definition: PipelineDefinition
    let coordinator: any PipelineWorker
    private(set) var workers: [any PipelineWorker]
    let throttle: Throttle
    /// Tables that have to be copied anew.
    var stale: Set<QualifiedName> = []
    private var open: PipelineSession?
    /// The source is kept read-only if it is.
    var isCuttingOver = false
    /// Of the last attempt, on the target. It may still be there when the way to it was lost.
    var session: Int?
    /// Both servers have been reached once: from then on they are waited for.
    private var wasConnected = false

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
        var patience = Patience()
        while true {
            do throws(ReplicationError) {
                return try await CopyAttempt(self, try await openSession()).run()
            } catch {
                note(error)
                let moved = progress.state.tables.reduce(0) { $0 + $1.chunksDone }
                let pause = try patience.pause(after: error, moved: moved, wasConnected: wasConnected)
                try await wait(pause, after: error) { progress.enter(.waiting, note: $0) }
            }
        }
    }

    /// Follows the changes until `control` ends it; copies first what is not copied yet. A lost server is waited for.
    package func stream(_ control: StreamControl) async throws(ReplicationError) -> StreamControl.End {
        var patience = Patience()
        while true {
            do throws(ReplicationError) {
                let session = try await openSession()
                try await Resnapshot.grantRequests(definition, session)
                if definition.snapshot.mode != .never { _ = try await CopyAttempt(self, session).run() }
                if let end = try await StreamAttempt(self, session, control).run() { return end }
            } catch {
                note(error)
                let moved = Int(truncatingIfNeeded: streamProgress.state.position.rawValue)
                let pause = try patience.pause(after: error, moved: moved, wasConnected: wasConnected)
                try await wait(pause, after: error) { streamProgress.enter(.waiting, note: $0) }
            }
        }
    }

    /// Makes the slot and the publications of a stream that has not begun: from now on it misses nothing.
    func prepareStream() async throws(ReplicationError) {
        try await StreamAttempt(self, try await openSession(), StreamControl()).prepare()
    }

    /// The pipeline's file has changed: the next stream is by this definition, with these workers.
    package func renew(_ definition: PipelineDefinition, _ workers: [any PipelineWorker]) {
        self.definition = definition
        self.workers = workers
    }

    /// Gives the connections back, and the pipeline's lock with them, which is held from the first step on: nobody else
    /// takes over between two of them.
    package func end() {
        open?.close()
        open = nil
    }

    private func note(_ error: ReplicationError) {
        end()
        if !error.isCancellation { progress.update { $0.failure = (error, .now) } }
        if case .stale(let table, _) = error { stale.insert(table) }
    }

    private func wait(
        _ pause: Duration, after error: ReplicationError, _ show: (String) -> Void
    ) async throws(ReplicationError) {
        Self.logger.warning("pipeline \"\(definition.name)\": \(error); trying again")
        show("\(error); trying again")
        do { try await coordinator.actor.loop.sleep(until: .now + pause) } catch { throw .cancelled }
    }

    func openSession() async throws(ReplicationError) -> PipelineSession {
        if let open, !open.isBroken { return open }
        end()
        progress.enter(.connecting)
        let session = try await PipelineSession.connect(self)
        wasConnected = true
        do throws(ReplicationError) {
            try await session.open()
            open = session
            return session
        } catch {
            session.close()
            throw error
        }
    }
}
