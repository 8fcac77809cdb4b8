import PostgresProtocol

/// The rows that a batch touches, by hashes of their keys: a row that is not among them is none of the batch's; one that
/// seems to be may be another one. Knows the rows of tables that keep them apart.
struct TouchedRows {
    /// Open addressing; zero is free.
    private var slots: [UInt64]
    private let mask: Int
    /// Tables of which any row may be touched.
    private var wholeFamilies: Set<Int> = []

    init(_ batch: ChangeBatch, _ plan: ApplyPlan) {
        let count = batch.changes.reduce(0) { $0 + ($1.kind == .rekey ? 2 : 1) }
        var capacity = 16
        while capacity < count * 2 { capacity *= 2 }
        slots = [UInt64](repeating: 0, count: capacity)
        mask = capacity - 1
        for change in batch.changes {
            let lane = plan.lanes[Int(change.lane)]
            guard lane.target.keepsRowsApart, !lane.target.key.isEmpty else { continue }
            insert(Self.hash(batch.slice(change.key), lane.target))
            if change.kind == .rekey { insertNewKey(of: change, lane, batch) }
        }
    }

    /// - Parameter key: the key's columns, each with its length.
    func contains(_ key: UnsafeRawBufferPointer, of target: ApplyTable) -> Bool {
        let hash = Self.hash(key, target)
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            if slots[slot] == hash { return true }
            slot = (slot + 1) & mask
        }
        return wholeFamilies.contains(target.family)
    }

    private mutating func insertNewKey(of change: RowChange, _ lane: ApplyLane, _ batch: ChangeBatch) {
        guard let places = lane.key else {
            wholeFamilies.insert(lane.target.family)
            return
        }
        var key = ByteBuffer()
        for place in places {
            var fields = FieldIterator(batch.arena.bytes, from: Int(change.row.offset) + 2)
            fields.skip(place)
            CopyBinaryWriter.appendField(fields.next(), to: &key)
        }
        insert(Self.hash(key.bytes, lane.target))
    }

    private mutating func insert(_ hash: UInt64) {
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0, slots[slot] != hash { slot = (slot + 1) & mask }
        slots[slot] = hash
    }

    private static func hash(_ key: UnsafeRawBufferPointer, _ target: ApplyTable) -> UInt64 {
        max(KeyIndex.hash(key, seed: target.family), 1)
    }
}
