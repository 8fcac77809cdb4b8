import EventLoops
import Logging
import Postgres
package import PostgresProtocol

/// Ends a pipeline for good, with everything in the target that the source has: the application moves there. Lives on the
/// loop of its coordinator.
package final class CutOverRun {
    package struct Options: Sendable {
        /// The source's database gets read-only, and its sessions are ended; else somebody else sees to that.
        package var setsReadOnly = false
        /// Compares both sides before the pipeline ends.
        package var verifies = false
        /// What is written into the target from then on can be taken back to the source.
        package var preparesWayBack = false

        package init() {}
    }

    package struct Result: Sendable {
        /// Of the source's log; everything before it is in the target.
        package var position: LSN
        /// Sequences of the target that were moved.
        package var sequences: Int
        /// If it was asked for.
        package var verifications: [Verification] = []
        /// False: the sides differ, the pipeline goes on as it was.
        package var isDone = true
    }

    private static let logger = Logger(label: "replhost")

    /// Passes over what is still written, until the source is found at rest.
    private static let passes = 3

    private let definition: PipelineDefinition
    private let coordinator: any PipelineWorker
    private let workers: [any PipelineWorker]
    private let options: Options
    private let progress: CopyProgress
    private let streamProgress: StreamProgress
    private let run: PipelineRun
    /// The ledger says so: nothing is undone from here on.
    private var isOver = false

    package init(
        _ definition: PipelineDefinition, coordinator: any PipelineWorker, workers: [any PipelineWorker],
        options: Options, progress: CopyProgress, streamProgress: StreamProgress
    ) {
        self.definition = definition
        self.coordinator = coordinator
        self.workers = workers
        self.options = options
        self.progress = progress
        self.streamProgress = streamProgress
        run = PipelineRun(
            definition, coordinator: coordinator, workers: workers, progress: progress, streamProgress: streamProgress)
    }

    package func perform() async throws(ReplicationError) -> Result {
        defer { run.end() }
        let session = try await takeOver()
        run.isCuttingOver = true
        let wayBack = options.preparesWayBack ? try await reversed(session) : nil
        try await stream(StreamControl(once: true))
        // What somebody else has set is his to undo.
        let barrier = WriteBarrier(session.source, .source)
        let isOurs = options.setsReadOnly ? try await !barrier.isRaised() : false
        do throws(ReplicationError) {
            if isOurs { try await session.ledger.note(barsSource: true) }
            if options.setsReadOnly { try await barrier.raise() }
            let result = try await finish(wayBack)
            if isOurs, !result.isDone { await undo() }
            if result.isDone { try await end() }
            return result
        } catch {
            if isOurs, !isOver { await undo() }
            throw error
        }
    }

    private func finish(_ wayBack: PipelineDefinition?) async throws(ReplicationError) -> Result {
        let position = try await catchUp()
        let session = try await run.openSession()
        var result = Result(position: position, sequences: try await copySequences(session))
        if options.verifies {
            result.verifications = try await VerifyRun(
                definition, coordinator: coordinator, workers: workers, repairs: false, isAtRest: true,
                progress: progress
            ).run(source: session.source, target: session.target)
            result.isDone = result.verifications.allSatisfy(\.isEqual)
            guard result.isDone else { return result }
        }
        if let wayBack { try await prepare(wayBack) }
        try await session.ledger.note(state: Ledger.Record.cutOver)
        isOver = true
        return result
    }

    // MARK: Steps

    /// Whoever runs the pipeline is asked to leave it to us.
    private func takeOver() async throws(ReplicationError) -> PipelineSession {
        try await requestEnd(true)
        do throws(ReplicationError) {
            let session = try await run.openSession()
            try await session.ledger.requestEnd(false)
            return session
        } catch {
            try? await requestEnd(false)
            throw error
        }
    }

    private func requestEnd(_ isToEnd: Bool) async throws(ReplicationError) {
        let connections = WorkerConnections(coordinator, snapshot: nil)
        defer { connections.release() }
        let ledger = Ledger(try await connections.target(), pipeline: definition.name)
        if isToEnd { try await check(ledger) }
        try await ledger.requestEnd(isToEnd)
    }

    private func check(_ ledger: Ledger) async throws(ReplicationError) {
        let record = try await ledger.exists() ? try await ledger.record() : nil
        if let record, record.state == Ledger.Record.cutOver { throw .cutOver(definition.name, record) }
        guard definition.isStreaming, record?.isCopied == true, try await ledger.stream()?.position != nil else {
            throw .mismatch(
                code: "RH3414", "pipeline \"\(definition.name)\" does not follow changes yet",
                hint: "A cut-over ends a pipeline that is copied and streams: run it first.")
        }
    }

    /// What the source has when nobody writes any more.
    private func catchUp() async throws(ReplicationError) -> LSN {
        for _ in 1...Self.passes {
            let before = streamProgress.state.changes
            let control = StreamControl()
            control.finish(at: try await SourceLog.insertEnd(try await run.openSession().source))
            try await stream(control)
            if streamProgress.state.changes == before { return streamProgress.state.position }
        }
        throw .mismatch(
            code: "RH3620", "the source of pipeline \"\(definition.name)\" is still being written",
            hint: "Stop the application first, or let --read-only end its sessions.")
    }

    private func stream(_ control: StreamControl) async throws(ReplicationError) {
        guard try await run.stream(control) != .caughtUp else { return }
        throw .mismatch(
            code: "RH3624", "another cut-over wants pipeline \"\(definition.name)\" at the same time",
            hint: "Let one of them come to its end.")
    }

    private func copySequences(_ session: PipelineSession) async throws(ReplicationError) -> Int {
        let selection = try await PipelineCatalog.selection(definition, on: session.source)
        return try await SequenceCopier.copy(
            selection.tables.map(SchemaRequest.init), source: session.source, target: session.target)
    }

    private func reversed(_ session: PipelineSession) async throws(ReplicationError) -> PipelineDefinition {
        try await StreamRequirements.check(session.target)
        return try await WayBack(definition, source: session.source, target: session.target).definition()
    }

    /// From this moment on it misses nothing.
    private func prepare(_ wayBack: PipelineDefinition) async throws(ReplicationError) {
        let run = PipelineRun(
            wayBack, coordinator: ReversedWorker(coordinator, wayBack), workers: [], progress: CopyProgress())
        defer { run.end() }
        try await run.prepareStream()
    }

    /// Slot and publications are of no more use. The old source of a way back is written to again.
    private func end() async throws(ReplicationError) {
        let session = try await run.openSession()
        if definition.isWayBack { try await WriteBarrier(session.target, .target).lower() }
        try await PipelineStatus.dropSlot(try await session.names(), on: session.source)
        try await session.ledger.forgetStream()
    }

    /// Also when the run is cancelled, or has lost its connections.
    private func undo() async {
        let (coordinator, pipeline) = (coordinator, definition.name)
        await coordinator.actor.begin {
            let connections = WorkerConnections(coordinator, snapshot: nil)
            defer { connections.release() }
            do throws(ReplicationError) {
                try await WriteBarrier(try await connections.source(), .source).lower()
                try await Ledger(try await connections.target(), pipeline: pipeline).note(barsSource: false)
            } catch {
                Self.logger.error("the source is read-only still: \(error)")
            }
        }.value
    }
}

/// A worker of the other direction.
final class ReversedWorker: PipelineWorker {
    private let worker: any PipelineWorker
    private let wayBack: PipelineDefinition

    init(_ worker: any PipelineWorker, _ wayBack: PipelineDefinition) {
        self.worker = worker
        self.wayBack = wayBack
    }

    var actor: LoopActor { worker.actor }
    var source: ConnectionPool { worker.sink }
    var sink: ConnectionPool { worker.source }
    var sinkSettings: String { wayBack.sinkSettings }

    /// Rows go back as they are.
    func makeTransform(_ mapping: TableMapping) throws(ReplicationError) -> (any RowTransform)? { nil }

    /// There is nobody to ask.
    func policy(for change: SchemaChange) async throws(ReplicationError) -> StreamOptions.SchemaPolicy { .stop }

    func committed(_ commit: StreamCommit) async {}
}
