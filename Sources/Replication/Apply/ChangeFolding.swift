import PostgresProtocol

/// What a batch comes to for each row of one table: at most one deletion of what was there and one row that is there
/// afterwards. Rows are told apart by the bytes of their keys; equal keys with other bytes are seen when the numbers of
/// affected rows do not fit.
struct ChangeFolding {
    enum Outcome: UInt8 {
        case nothing
        case insert
        case update
    }

    struct Row {
        /// The row was there before.
        var isDeleted: Bool
        var outcome: Outcome
        /// Of `outcome`.
        var lane: Int32
        var row: ArenaSlice
        var key: ArenaSlice
    }

    private(set) var rows: [Row] = []
    /// The changes do not add up, or need their order: they are to be made one by one.
    private(set) var isInDoubt = false
    private var index: KeyIndex
    private let batch: ChangeBatch
    private let plan: ApplyPlan

    init(_ batch: ChangeBatch, _ plan: ApplyPlan, expecting count: Int) {
        self.batch = batch
        self.plan = plan
        index = KeyIndex(expecting: count)
        rows.reserveCapacity(count)
    }

    mutating func add(_ change: RowChange) {
        guard !isInDoubt, change.kind != .rekey else {
            isInDoubt = true
            return
        }
        let bytes = batch.arena.bytes
        let found = index.find(change.key, in: bytes) { rows[$0].key }
        guard case .known(let position) = found else {
            index.insert(rows.count, found)
            rows.append(
                Row(
                    isDeleted: change.kind == .delete, outcome: Self.outcome(of: change.kind), lane: change.lane,
                    row: change.row, key: change.key))
            return
        }
        fold(change, into: position)
    }

    private static func outcome(of kind: RowChange.Kind) -> Outcome {
        switch kind {
        case .insert: .insert
        case .update, .rekey: .update
        case .delete: .nothing
        }
    }

    private mutating func fold(_ change: RowChange, into position: Int) {
        switch (rows[position].outcome, change.kind) {
        case (.nothing, .insert):
            rows[position].outcome = .insert
            rows[position].lane = change.lane
            rows[position].row = change.row
        case (.insert, .update), (.update, .update): merge(change, into: position)
        case (.insert, .delete): rows[position].outcome = .nothing
        case (.update, .delete):
            rows[position].outcome = .nothing
            rows[position].isDeleted = true
        case (.nothing, _), (_, .insert), (_, .rekey): isInDoubt = true
        }
    }

    /// A later row takes the place of an earlier one, in the columns that it has.
    private mutating func merge(_ change: RowChange, into position: Int) {
        let earlier = rows[position]
        if earlier.lane == change.lane {
            rows[position].row = change.row
            return
        }
        let (old, new) = (plan.lanes[Int(earlier.lane)], plan.lanes[Int(change.lane)])
        let sources = old.columns.map { column in new.columns.firstIndex { $0.name == column.name } }
        guard old.format == new.format, sources.count(where: { $0 != nil }) == new.columns.count else {
            // The later row has columns that the earlier one has not: fine where it has all of those.
            let isWider = old.columns.allSatisfy { column in new.columns.contains { $0.name == column.name } }
            guard isWider, earlier.outcome == .update else {
                isInDoubt = true
                return
            }
            rows[position].lane = change.lane
            rows[position].row = change.row
            return
        }
        rows[position].row = merged(earlier.row, change.row, sources)
    }

    /// The earlier row's columns, with the later one's values where it has them.
    private func merged(_ earlier: ArenaSlice, _ later: ArenaSlice, _ sources: [Int?]) -> ArenaSlice {
        let start = batch.arena.count
        batch.arena.reserve(Int(earlier.count) + Int(later.count) + 2)
        let bytes = batch.arena.bytes
        CopyBinaryWriter.appendFieldCount(sources.count, to: &batch.arena)
        var old = FieldIterator(bytes, from: Int(earlier.offset) + 2)
        for source in sources {
            var field = old.next()
            if let source {
                var new = FieldIterator(bytes, from: Int(later.offset) + 2)
                new.skip(source)
                field = new.next()
            }
            CopyBinaryWriter.appendField(field, to: &batch.arena)
        }
        return ArenaSlice(offset: start, count: batch.arena.count - start)
    }
}

/// Positions of rows by the bytes of their keys: open addressing, no memory of its own for keys.
struct KeyIndex {
    enum Place {
        case known(Int)
        case free(slot: Int)
    }

    private var slots: [Int32]
    private let mask: Int

    /// - Parameter count: the most keys that will be inserted.
    init(expecting count: Int) {
        var capacity = 16
        while capacity < count * 2 { capacity *= 2 }
        slots = [Int32](repeating: -1, count: capacity)
        mask = capacity - 1
    }

    func find(_ key: ArenaSlice, in bytes: UnsafeRawBufferPointer, _ keyOf: (Int) -> ArenaSlice) -> Place {
        let wanted = UnsafeRawBufferPointer(rebasing: bytes[key.range])
        var slot = Int(truncatingIfNeeded: Self.hash(wanted)) & mask
        while slots[slot] >= 0 {
            let position = Int(slots[slot])
            let known = keyOf(position)
            if known.count == key.count, Self.isEqual(UnsafeRawBufferPointer(rebasing: bytes[known.range]), wanted) {
                return .known(position)
            }
            slot = (slot + 1) & mask
        }
        return .free(slot: slot)
    }

    mutating func insert(_ position: Int, _ place: Place) {
        if case .free(let slot) = place { slots[slot] = Int32(truncatingIfNeeded: position) }
    }

    private static func isEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        var position = 0
        while position &+ 8 <= left.count {
            let isSame =
                left.loadUnaligned(fromByteOffset: position, as: UInt64.self)
                == right.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            guard isSame else { return false }
            position &+= 8
        }
        while position < left.count {
            guard left[position] == right[position] else { return false }
            position &+= 1
        }
        return true
    }

    /// Words are multiplied in, both halves of the product count: numbers in network byte order differ in the highest bits
    /// of a word first.
    static func hash(_ bytes: UnsafeRawBufferPointer, seed: Int = 0) -> UInt64 {
        var hash = 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: seed)
        var position = 0
        while position &+ 8 <= bytes.count {
            hash = mix(hash ^ bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            position &+= 8
        }
        var rest = UInt64(truncatingIfNeeded: bytes.count)
        while position < bytes.count {
            rest = rest << 8 | UInt64(bytes[position])
            position &+= 1
        }
        return mix(hash ^ rest)
    }

    @inline(__always)
    private static func mix(_ word: UInt64) -> UInt64 {
        let product = word.multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        return product.high ^ product.low
    }
}
