import Postgres
import PostgresProtocol

/// What functions ask for, and leave beside rows, while they see changes: dead letters and durable values go into the
/// batch. Asks the target over a connection of its own. Lives on the engine's loop.
final class ChangeDesk: LaneSink {
    private let worker: any PipelineWorker
    private let context: PipelineContext
    private let plan: ApplyPlan
    private var batch = ChangeBatch()
    private var facts: () -> ChangeFacts? = { nil }
    private var tables: [QualifiedName: CatalogTable] = [:]
    /// Gets dead letters, which nobody keeps then.
    private let reader: ((DeadLetter) -> Void)?

    init(
        _ worker: any PipelineWorker, _ context: PipelineContext, _ plan: ApplyPlan,
        reader: ((DeadLetter) -> Void)? = nil
    ) {
        self.worker = worker
        self.context = context
        self.plan = plan
        self.reader = reader
    }

    func begin(_ batch: ChangeBatch, _ facts: @escaping () -> ChangeFacts?) {
        self.batch = batch
        self.facts = facts
    }

    // Rows of changes are recorded one by one, lanes never fill.
    func tryTake(_ lane: OutputLane) throws(ReplicationError) -> Bool { true }
    func take(_ lane: OutputLane) async throws(ReplicationError) {}

    func take(_ letter: DeadLetter, of mapping: TableMapping) async throws(ReplicationError) {
        if let reader { return reader(letter) }
        let fields = DeadLetterLane.fields(letter, of: mapping, context, facts())
        batch.deadLetters[mapping.target.name, default: 0] += 1
        batch.statements.append(
            PipelineStatement(
                DeadLetterLane.insertStatement, fields.map { $0.map { .text($0) } ?? .null }))
    }

    func table(_ name: QualifiedName) async throws(ReplicationError) -> CatalogTable {
        if let known = tables[name] { return known }
        let connections = WorkerConnections(worker, snapshot: nil)
        defer { connections.release() }
        guard let table = try await CatalogReader(try await connections.target(), .target).tables([name])[name] else {
            throw .unknownTable(name, .target, known: [])
        }
        tables[name] = table
        return table
    }

    func values(ofStore store: String) async throws(ReplicationError) -> [String: String] {
        let connections = WorkerConnections(worker, snapshot: nil)
        defer { connections.release() }
        return try await StateStatements.values(
            ofStore: store, of: context.pipeline, on: try await connections.target())
    }

    func take(_ changes: [StateChange]) {
        guard !changes.isEmpty else { return }
        batch.statements.append(PipelineStatement(StateStatements.lock, [.text(context.pipeline)]))
        for (sql, json) in StateStatements.writing(changes) {
            batch.statements.append(PipelineStatement(sql, [.text(context.pipeline), .text(json)]))
        }
    }
}
