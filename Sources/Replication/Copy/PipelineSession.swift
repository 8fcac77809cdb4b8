import EventLoops
import Postgres
import PostgresProtocol

/// The coordinating connections of a run, with the pipeline locked. Used on the coordinator's loop.
struct PipelineSession {
    /// Between two looks whether the other replhost is gone.
    private static let standbyPause: Duration = .seconds(1)

    let source: Connection
    let target: Connection
    let ledger: Ledger
    private let run: PipelineRun
    private let leases: (source: Lease, target: Lease)

    static func connect(_ run: PipelineRun) async throws(ReplicationError) -> PipelineSession {
        let (coordinator, loop) = (run.coordinator, run.coordinator.actor.loop)
        let target = try await WorkerConnections.borrow(coordinator.sink, .target, on: loop)
        do throws(ReplicationError) {
            let source = try await WorkerConnections.borrow(coordinator.source, .source, on: loop)
            return try PipelineSession(run, source: source, target: target)
        } catch {
            coordinator.sink.release(target)
            throw error
        }
    }

    private init(_ run: PipelineRun, source: Lease, target: Lease) throws(ReplicationError) {
        self.run = run
        leases = (source, target)
        self.source = try WorkerConnections.connection(of: source, .source)
        self.target = try WorkerConnections.connection(of: target, .target)
        ledger = Ledger(self.target, pipeline: run.definition.name)
    }

    var isBroken: Bool { source.isBroken || target.isBroken }

    /// Gives the connections back, and the lock with them.
    func close() {
        run.coordinator.source.release(leases.source)
        run.coordinator.sink.release(leases.target, discard: true)
    }

    private var definition: PipelineDefinition { run.definition }

    /// Prepares the ledger and locks the pipeline. A pipeline that streams waits for another replhost to go.
    func open() async throws(ReplicationError) {
        run.progress.enter(.preparing)
        try await target.run(
            WorkerConnections.patience + run.coordinator.sinkSettings, on: .target, doing: "preparing a session")
        try await ledger.prepare()
        defer { run.session = Int(target.pid) }
        var isStandby = false
        while try await !tryLock() {
            guard definition.isStreaming else { throw try await isRunElsewhere() }
            run.streamProgress.enter(.standby, note: "another replhost runs the pipeline")
            isStandby = true
            do { try await target.loop.sleep(until: .now + Self.standbyPause) } catch { throw .cancelled }
        }
        if isStandby { run.streamProgress.enter(.idle) }
        if !run.isCuttingOver { try await WriteBarrier.lowerAbandoned(ledger, source) }
    }

    /// A session that this run has lost the way to is ended.
    private func tryLock() async throws(ReplicationError) -> Bool {
        if try await ledger.lock() { return true }
        guard let owner = try await ledger.owner(), owner == run.session else { return false }
        try await ledger.end([owner])
        return try await ledger.lock()
    }

    private func isRunElsewhere() async throws(ReplicationError) -> ReplicationError {
        let owner = try await ledger.owner()
        let session = owner.map { " (its session on the target has pid \($0))" } ?? ""
        return .mismatch(
            code: "RH3401", "pipeline \"\(definition.name)\" is being run by another replhost\(session)",
            hint: "Wait for it or stop it; two would do the same work twice. If it is gone, end its session there: "
                + "SELECT pg_terminate_backend(\(owner.map(String.init) ?? "pid")).")
    }

    /// Refuses to go on with another source than the one that the ledger knows.
    func identify(_ record: Ledger.Record?) async throws(ReplicationError) -> SourceIdentity {
        try await SourceIdentity.identify(source, of: definition.name, record)
    }

    /// Of slot and publications on the source.
    func names() async throws(ReplicationError) -> StreamNames {
        try await StreamNames.read(definition.name, ledger, source: source, target: target)
    }

    /// The snapshot of a slot, with what is waited for shown meanwhile.
    func anchor(_ names: StreamNames, _ identity: SourceIdentity) async throws(ReplicationError) -> StreamAnchor {
        let (progress, streamProgress) = (run.progress, run.streamProgress)
        return try await StreamAnchor.take(
            names, ledger, identity, scriptHash: definition.scriptHash, source: source, on: run.coordinator.actor
        ) { text in
            progress.update { $0.note = text }
            streamProgress.update { $0.note = text }
        }
    }

    func mayBeReplica() async throws(ReplicationError) -> Bool {
        do { return try await ReplicaRole.isAllowed(on: target) } catch {
            throw .database(.target, error, doing: "reading the rights on the target")
        }
    }

    /// For `status`. The ledger may be out of reach.
    func note(_ error: ReplicationError) async {
        guard !error.isCancellation, !target.isBroken else { return }
        try? await ledger.note(error: "\(error)")
    }
}

extension SourceIdentity {
    /// Refuses another source than the one that the ledger knows, and a pipeline that is over.
    static func identify(
        _ source: Connection, of pipeline: String, _ record: Ledger.Record?
    ) async throws(ReplicationError) -> SourceIdentity {
        let identity = try await read(source, .source)
        guard let record else { return identity }
        guard record.state != Ledger.Record.cutOver else { throw .cutOver(pipeline, record) }
        let isSame =
            record.sourceDatabase == identity.database
            && (record.sourceSystem == identity.system || record.sourceSystem.isEmpty || identity.system.isEmpty)
        guard isSame else {
            throw .mismatch(
                code: "RH3402",
                "pipeline \"\(pipeline)\" was begun with another source: database \"\(record.sourceDatabase)\" "
                    + "of system \(record.sourceSystem), now \"\(identity.database)\" of \(identity.system)",
                hint: "Go on with the old source, give the pipeline another name, or forget its progress with "
                    + "\"replhost drop\".")
        }
        return identity
    }
}

extension ReplicationError {
    static func cutOver(_ pipeline: String, _ record: Ledger.Record) -> ReplicationError {
        .mismatch(
            code: "RH3618", "pipeline \"\(pipeline)\" was cut over at \(record.finishedAt ?? "an unknown time")",
            hint: "Nothing is left to do. To begin anew, forget it with \"replhost drop\".")
    }
}
