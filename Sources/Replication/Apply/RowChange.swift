import Postgres
package import PostgresProtocol

/// What is to be done to one row of the target, with its bytes in the batch's arena.
package struct RowChange {
    package enum Kind: UInt8, Sendable {
        case insert
        /// The row has the same key before and after.
        case update
        /// An update that changes the key: `key` is the old one.
        case rekey
        case delete
    }

    package var kind: Kind
    /// Of the source's change in the batch.
    package var order: UInt32 = 0
    /// Position in `ApplyPlan.lanes`.
    package var lane: Int32
    /// The row in the lane's columns; empty for a delete.
    package var row: ArenaSlice
    /// The key columns, or all of the old row where a table has no key.
    package var key: ArenaSlice
}

/// A piece of a batch's arena: fields with their length prefix, as in binary COPY, whatever form their bytes have.
package struct ArenaSlice: Equatable, Sendable {
    package static let empty = ArenaSlice(offset: 0, count: 0)

    package var offset: UInt32
    package var count: UInt32

    @inlinable package init(offset: Int, count: Int) {
        self.offset = UInt32(truncatingIfNeeded: offset)
        self.count = UInt32(truncatingIfNeeded: count)
    }

    @inlinable package var range: Range<Int> { Int(offset)..<Int(offset) + Int(count) }
    @inlinable package var isEmpty: Bool { count == 0 }
}

/// Changes of the target in the order of the source, in memory; of whole transactions, or of a piece of a large one.
package final class ChangeBatch {
    /// A transaction's first change.
    package struct Transaction: Sendable {
        package let begin: BeginMessage
        /// The order of its first change.
        let first: UInt32
    }

    package var arena = ByteBuffer(capacity: 1 << 16)
    package private(set) var changes: [RowChange] = []
    package private(set) var transactions: [Transaction] = []
    /// Statements that come after the changes (TRUNCATE, values of rh.state).
    var statements: [PipelineStatement] = []
    /// How many rows `statements` put aside, by table of the target.
    var deadLetters: [QualifiedName: Int] = [:]
    /// Rows that a filter is to be asked about.
    var candidates: [OID: [RowFilter.Candidate]] = [:]
    /// How many changes of the source came so far.
    private(set) var sourceChanges: UInt32 = 0

    package init() {}

    package var isEmpty: Bool { changes.isEmpty && statements.isEmpty }
    var byteCount: Int { arena.count + changes.count * MemoryLayout<RowChange>.stride }

    @inlinable package func slice(_ slice: ArenaSlice) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: arena.bytes[slice.range])
    }

    /// A change of the source came.
    @inline(__always)
    func noteSourceChange() { sourceChanges &+= 1 }

    /// Adds what the newest change of the source comes to.
    @inline(__always)
    func append(_ change: RowChange) {
        var change = change
        change.order = sourceChanges
        changes.append(change)
    }

    /// Adds what an earlier change of the source comes to; `sort()` is due then.
    func insert(_ change: RowChange, order: UInt32) {
        var change = change
        change.order = order
        changes.append(change)
    }

    /// Brings changes into the order of the source's; what comes of the same one stays in its order.
    func sort() {
        let order = changes.indices.sorted { (changes[$0].order, $0) < (changes[$1].order, $1) }
        changes = order.map { changes[$0] }
    }

    func begin(_ transaction: BeginMessage) {
        transactions.append(Transaction(begin: transaction, first: sourceChanges + 1))
    }

    /// Forgets what came after the first `count` changes of the source.
    func truncate(to count: UInt32) {
        changes.removeAll { $0.order > count }
        transactions.removeAll { $0.first > count }
        for relation in candidates.keys { candidates[relation]?.removeAll { $0.order > count } }
        sourceChanges = count
    }

    /// Leaves out what inserts have come to, by their order, and makes deletions of updates.
    func replace(_ failing: [UInt32: StreamRelation]) {
        guard !failing.isEmpty else { return }
        changes = changes.compactMap { change in
            guard let relation = failing[change.order] else { return change }
            return change.kind == .insert ? nil : relation.deletion(of: change)
        }
    }

    /// Keeps memory of a usual size for what comes next.
    func clear() {
        statements.removeAll()
        deadLetters.removeAll()
        sourceChanges = 0
        candidates.removeAll()
        arena.removeAll(keepingAtMost: 16 << 20)
        changes.removeAll(keepingCapacity: true)
        transactions.removeAll(keepingCapacity: true)
    }

    /// The transaction that a change belongs to.
    func transaction(of change: Int) -> BeginMessage? { transaction(order: changes[change].order) }

    func transaction(order: UInt32) -> BeginMessage? { transactions.last { $0.first <= order }?.begin }
}

/// The fields of a slice, one after the other.
struct FieldIterator {
    private let bytes: UnsafeRawBufferPointer
    private(set) var position: Int

    /// - Parameter position: of the first length prefix.
    init(_ bytes: UnsafeRawBufferPointer, from position: Int) {
        self.bytes = bytes
        self.position = position
    }

    /// Nil is NULL. The caller knows that there is another field.
    @inline(__always)
    mutating func next() -> UnsafeRawBufferPointer? {
        let length = Int(bytes.loadBigEndian(position, as: Int32.self))
        position &+= 4
        guard length >= 0 else { return nil }
        defer { position &+= length }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<(position &+ length)])
    }

    @inline(__always)
    mutating func skip(_ count: Int) {
        for _ in 0..<count {
            let length = Int(bytes.loadBigEndian(position, as: Int32.self))
            position &+= 4 &+ max(length, 0)
        }
    }
}
