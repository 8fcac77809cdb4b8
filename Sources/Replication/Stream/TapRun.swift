package import EventLoops
import Logging
import Postgres
package import PostgresProtocol

/// Shows the changes of a pipeline's tables as they are committed on the source, and what its functions make of them.
/// Writes nothing: the slot that it reads from is its own, and gone with its session. Lives on its worker's loop.
package struct TapRun {
    private static let logger = Logger(label: "replhost")

    private let definition: PipelineDefinition
    private let worker: any PipelineWorker

    /// - Parameter definition: of the pipeline that runs, or has run.
    package init(_ definition: PipelineDefinition, _ worker: any PipelineWorker) {
        self.definition = definition
        self.worker = worker
    }

    /// Until `show` answers false, or the task is cancelled. A lost server is waited for, as it is by a run.
    /// - Parameters:
    ///   - onStart: called when nothing that is committed from now on is missed, again after a loss.
    ///   - onRest: called when everything that has come was shown.
    package func run(
        only: QualifiedName?, on actor: LoopActor, onStart: () -> Void, onRest: () -> Void,
        _ show: (TapChange) -> Bool
    ) async throws(ReplicationError) {
        var patience = Patience()
        var (starts, shown) = (0, 0)
        while true {
            do throws(ReplicationError) {
                return try await attempt(only: only, on: actor) {
                    starts += 1
                    onStart()
                } onRest: {
                    onRest()
                } _: { change in
                    shown += 1
                    return show(change)
                }
            } catch {
                let pause = try patience.pause(after: error, moved: starts + shown, wasConnected: starts > 0)
                Self.logger.warning("tap of pipeline \"\(definition.name)\": \(error); trying again")
                do { try await actor.loop.sleep(until: .now + pause) } catch { throw .cancelled }
            }
        }
    }

    private func attempt(
        only: QualifiedName?, on actor: LoopActor, onStart: () -> Void, onRest: () -> Void,
        _ show: (TapChange) -> Bool
    ) async throws(ReplicationError) {
        let connections = WorkerConnections(worker, snapshot: nil)
        defer { connections.release() }
        let (source, target) = (try await connections.source(), try await connections.target())
        let mappings = try await mappings(only, source, target)
        let names = try await StreamNames.read(
            definition.name, Ledger(target, pipeline: definition.name), source: source, target: target)
        try await requirePublication(names, source)
        let request = StreamRequest(
            slot: "replhost_tap_\(source.pid)", start: .zero,
            publications: [names.publication, names.insertsPublication], isBinary: false, includesMessages: false)
        let receiver = StreamReceiver(source.settings, request, isTemporary: true)
        try await start(receiver, request.slot, source, actor)
        onStart()
        connections.release()
        let outcome: Result<Void, ReplicationError>
        do throws(ReplicationError) {
            try await follow(receiver.mailbox, TapReader(definition, mappings, worker), onRest, show)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await receiver.stop()
        try outcome.get()
    }

    private func follow(
        _ mailbox: StreamMailbox, _ reader: TapReader, _ onRest: () -> Void, _ show: (TapChange) -> Bool
    ) async throws(ReplicationError) {
        while true {
            if Task.isCancelled { throw .cancelled }
            guard let block = try mailbox.take() else {
                onRest()
                await mailbox.wait(for: 1, on: worker.actor.loop)
                continue
            }
            for entry in block.entries {
                switch entry {
                case .keepalive(let keepalive): if reader.isResting { mailbox.confirm(keepalive.serverEnd) }
                case .message(let range, let start):
                    for change in try await reader.read(block.payload(range), at: start) {
                        guard show(change) else { return }
                    }
                    if let end = reader.takeEnd() { mailbox.confirm(end) }
                }
            }
        }
    }

    // MARK: Beginning

    private func start(
        _ receiver: StreamReceiver, _ slot: String, _ source: Connection, _ actor: LoopActor
    ) async throws(ReplicationError) {
        let outcome: Result<Void, ReplicationError>
        do throws(PostgresError) {
            outcome = try await SlotWait(slot, source) { _ in }.watching(on: actor) { () async throws(PostgresError) in
                do throws(ReplicationError) {
                    return .success(try await receiver.start(until: .now + .seconds(30)))
                } catch {
                    return .failure(error)
                }
            }
        } catch {
            outcome = .failure(.database(.source, error, doing: "making replication slot \"\(slot)\""))
        }
        try outcome.get()
    }

    /// Functions go on after an error.
    private func mappings(
        _ only: QualifiedName?, _ source: Connection, _ target: Connection
    ) async throws(ReplicationError) -> [TableMapping] {
        try await StreamRequirements.check(source)
        let selection = try await PipelineCatalog.selection(definition, on: source)
        let chosen = selection.tables.filter { only == nil || $0.source.name == only }
        if let only, chosen.isEmpty { throw .unknownTable(only, .source, known: selection.tables.map(\.source.name)) }
        let existing = try await CatalogReader(target, .target).tables(chosen.map(\.targetName))
        var mappings: [TableMapping] = []
        for table in chosen {
            var (table, target) = (table, existing[table.targetName] ?? table.expectedTarget)
            if table.options.columns == nil { table.source.columns.removeAll { target.column($0.name) == nil } }
            table.options.onError = .deadLetter
            mappings.append(try TableMapping(table, target: target))
        }
        return mappings
    }

    private func requirePublication(_ names: StreamNames, _ source: Connection) async throws(ReplicationError) {
        let count: Int
        do throws(PostgresError) {
            count =
                try await source.query(
                    "SELECT count(*)::int8 FROM pg_publication WHERE pubname IN ($1, $2)",
                    [.text(names.publication), .text(names.insertsPublication)]
                ).number(0, 0) ?? 0
        } catch {
            throw .database(.source, error, doing: "reading publications")
        }
        guard count == 2 else {
            throw .mismatch(
                code: "RH3641", "pipeline \"\(definition.name)\" has no publication on the source yet",
                hint: "Run it first: tap reads the changes that its publication tells of, and makes none itself.")
        }
    }
}

/// A change of the source, and what becomes of it.
package struct TapChange: Sendable {
    package typealias Fields = PreviewRun.Fields

    package enum Operation: String, Sendable {
        case insert, update, delete, truncate
    }

    package struct Output: Sendable {
        package var operation: Operation
        package var table: QualifiedName
        /// The row as it is written; of a delete, what it is found by.
        package var fields: Fields
        /// Of an update that changes it, the key that the row is found by.
        package var oldKey: Fields = []
    }

    package var operation: Operation
    package var table: QualifiedName
    /// Of the row after the change, under the source's names; of a deleted one before it.
    package var key: Fields = []
    /// As the function gets it.
    package var before: Fields = []
    /// Columns that were not sent, as the update has not changed them.
    package var unchanged: [String] = []
    /// In order; empty if nothing is written.
    package var after: [Output] = []
    package var failure: ReplicationError?
    package var xid: UInt32
    /// Of the commit.
    package var lsn: LSN
    /// On the source; microseconds from 2000 on.
    package var commitTime: Int64
}
