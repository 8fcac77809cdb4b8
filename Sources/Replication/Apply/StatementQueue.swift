import Postgres
import PostgresProtocol

/// Statements on their way to the target: sent together, with what their answers have to say.
final class StatementQueue {
    struct Item {
        var statement: PipelineStatement
        /// How many rows it has to affect; nil: any number.
        var affects: Int?
        /// The change that it makes, if it makes just one.
        var change: Int?
        var doing: String
        var tally: ConflictTally?
    }

    /// Why the statements did not do what they should.
    struct Failure: Error {
        enum Reason {
            case error(PostgresError)
            case affected(Int, expected: Int)
        }

        var reason: Reason
        var item: Item

        /// Sending the same once more, in another way, may help.
        var isAboutRows: Bool {
            switch reason {
            case .affected: true
            case .error(.server): !isBlocked
            case .error: false
            }
        }

        /// Somebody has had a lock for too long.
        var isBlocked: Bool {
            if case .error(let error) = reason { error.isLockTimeout } else { false }
        }
    }

    private static let largestPipeline = 1000
    private static let largestBytes = 4 << 20

    private let connection: Connection
    private var items: [Item] = []
    private var bytes = 0
    /// What the answers have told, until it is taken.
    var conflicts: [QualifiedName: ConflictCounts] = [:]

    init(_ connection: Connection) { self.connection = connection }

    /// For its effect, whatever it affects.
    func add(_ sql: String, _ parameters: [Parameter] = [], doing: String) {
        items.append(Item(statement: PipelineStatement(sql, parameters), affects: nil, change: nil, doing: doing))
    }

    func add(_ item: Item) { items.append(item) }

    /// Sends what has gathered when it is much.
    func add(_ item: Item, bytes: Int) async throws(Failure) {
        items.append(item)
        self.bytes += bytes
        if items.count >= Self.largestPipeline || self.bytes >= Self.largestBytes { try await flush() }
    }

    /// Sends everything, and looks at the answers.
    func flush() async throws(Failure) {
        guard !items.isEmpty else { return }
        let items = self.items
        self.items.removeAll(keepingCapacity: true)
        bytes = 0
        let results: [Result<ResultSet, PostgresError>]
        do { results = try await connection.pipeline(items.map(\.statement)) } catch {
            throw Failure(reason: .error(error), item: items[0])
        }
        for (item, result) in zip(items, results) {
            switch result {
            case .failure(.pipelineAborted): continue
            case .failure(let error): throw Failure(reason: .error(error), item: item)
            case .success(let result):
                if let tally = item.tally { note(tally.counts(result), of: tally.table) }
                let affected = result.affected ?? 0
                guard let expected = item.affects, affected != expected else { continue }
                throw Failure(reason: .affected(affected, expected: expected), item: item)
            }
        }
    }

    private func note(_ counts: ConflictCounts, of table: QualifiedName) {
        if counts.total > 0 { conflicts[table, default: ConflictCounts()] += counts }
    }

    /// Forgets what was not sent.
    func clear() {
        items.removeAll(keepingCapacity: true)
        bytes = 0
    }
}
