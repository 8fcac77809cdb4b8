import EventLoops
import Postgres
package import PostgresProtocol

/// What the ledger says of a pipeline. Lives on its worker's loop.
package struct PipelineStatus: Sendable {
    /// Nil if it was never run.
    package var record: Ledger.Record?
    package var relations: [Ledger.Relation] = []
    /// By source table.
    package var letters: [String: Int] = [:]
    package var stateValues = 0
    /// The session that has the pipeline locked.
    package var owner: Int?
    /// Nil if it has not begun to stream.
    package var stream: Ledger.StreamRecord?
    /// On the source; nil if there is none, or the source is out of reach.
    package var slot: SlotState?
    /// Where the source's log ends.
    package var sourceEnd: LSN?
    /// By table of the target.
    package var conflicts: [QualifiedName: ConflictCounts] = [:]
    /// Until as much log is kept as the budget allows, at the pace of the moment; nil if there is none, or it does not grow.
    package var timeToFull: Duration?

    /// - Parameter budget: takes a second to find out how fast it is used up.
    package static func read(
        _ pipeline: String, _ worker: any PipelineWorker, budget: LogBudget? = nil
    ) async throws(ReplicationError) -> PipelineStatus {
        let session = try await LedgerSession(pipeline, worker)
        defer { session.end() }
        guard let ledger = session.ledger else { return PipelineStatus() }
        var status = PipelineStatus()
        status.record = try await ledger.record()
        status.relations = try await ledger.relations()
        status.letters = try await ledger.letterCounts()
        status.stateValues = try await ledger.stateCount()
        status.owner = try await ledger.owner()
        status.stream = try await ledger.stream()
        status.conflicts = try await ledger.conflicts()
        if let slot = status.stream?.slot { await status.readSource(slot, session, budget) }
        return status
    }

    /// The source may be out of reach: what the target knows is shown all the same.
    private mutating func readSource(_ name: String, _ session: LedgerSession, _ budget: LogBudget?) async {
        guard let source = try? await session.source() else { return }
        slot = try? await SlotState.read(name, on: source)
        sourceEnd = try? await SourceLog.end(source)
        if let budget, let slot { timeToFull = await Self.time(until: budget, of: slot, name, source) }
    }

    private static let sample: Duration = .seconds(1)

    private static func time(
        until budget: LogBudget, of slot: SlotState, _ name: String, _ source: Connection
    ) async -> Duration? {
        let began = ContinuousClock.now
        guard (try? await source.loop.sleep(until: began + sample)) != nil,
            let later = try? await SlotState.read(name, on: source), later.retained > slot.retained
        else { return nil }
        let pace = Double(later.retained - slot.retained) / ((ContinuousClock.now - began) / .seconds(1))
        return .seconds(Double(max(0, budget.size - later.retained)) / pace)
    }

    /// Bytes of the source's log that are not in the target yet.
    package var lag: Int64? {
        guard let position = stream?.position, let sourceEnd else { return nil }
        return max(0, sourceEnd.distance(from: position))
    }

    /// Forgets the pipeline, unless somebody works on it.
    package static func drop(_ pipeline: String, _ worker: any PipelineWorker) async throws(ReplicationError) {
        let session = try await LedgerSession(pipeline, worker)
        defer { session.end() }
        guard let ledger = session.ledger else { return }
        guard try await ledger.lock() else {
            throw .mismatch(
                code: "RH3401", "pipeline \"\(pipeline)\" is being run by another replhost", hint: "Stop it first.")
        }
        do throws(ReplicationError) {
            if let slot = try await ledger.stream()?.slot {
                let source = try await session.source()
                try await WriteBarrier.lowerAbandoned(ledger, source)
                try await dropSlot(StreamNames(slot: slot), on: source)
            }
            try await ledger.remove()
        } catch {
            try? await ledger.unlock()
            throw error
        }
        try await ledger.unlock()
    }
}

extension PipelineStatus {
    /// Removes what a stream needs on the source.
    static func dropSlot(_ names: StreamNames, on source: Connection) async throws(ReplicationError) {
        if try await SlotState.read(names.slot, on: source) != nil {
            try await SlotState.drop(names.slot, on: source)
        }
        try await Publications(source, names).drop()
    }
}

/// A pipeline's ledger over a connection of its own. Lives on its worker's loop.
package final class LedgerSession {
    /// Nil if the target has none.
    package let ledger: Ledger?
    private let connections: WorkerConnections

    package init(_ pipeline: String, _ worker: any PipelineWorker) async throws(ReplicationError) {
        connections = WorkerConnections(worker, snapshot: nil)
        let ledger = Ledger(try await connections.target(), pipeline: pipeline)
        self.ledger = try await ledger.exists() ? ledger : nil
    }

    func source() async throws(ReplicationError) -> Connection { try await connections.source() }

    package func end() { connections.release() }
}
