import PostgresProtocol

/// Which statements the server has prepared for this session, by text and declared parameter types. The least recently
/// used one makes room; its name waits in `evicted` until somebody tells the server.
struct StatementCache {
    static let defaultCapacity = 256

    struct Key: Hashable {
        var sql: String
        var types: [OID]
    }

    /// An entry and its neighbours in the order of use; `none` at the ends.
    private struct Slot {
        var key: Key
        var statement: PreparedStatement
        /// Of its last stream that was read to the end.
        var rowCount: Int?
        var newer: Int
        var older: Int
    }

    private static let none = -1

    private(set) var capacity: Int
    /// Names that the server still holds and nobody will use.
    private(set) var evicted: [String] = []
    private var slots: [Slot] = []
    private var free: [Int] = []
    private var index: [Key: Int] = [:]
    private var newest = none
    private var oldest = none
    private var names: UInt64 = 0

    /// 0 turns the cache off.
    init(capacity: Int) { self.capacity = capacity }

    var count: Int { index.count }

    /// A name that this session has not used.
    mutating func makeName() -> String {
        names += 1
        return "replhost_\(names)"
    }

    /// The statement, which becomes the most recently used one.
    mutating func find(_ key: Key) -> PreparedStatement? {
        guard let slot = index[key] else { return nil }
        if slot != newest {
            unlink(slot)
            linkNewest(slot)
        }
        return slots[slot].statement
    }

    /// Streaming it by COPY, which is planned anew each time, is not worth while.
    func returnsFew(_ key: Key) -> Bool {
        guard let slot = index[key], let count = slots[slot].rowCount else { return false }
        return count < 1000
    }

    mutating func noteStreamed(_ count: Int, _ key: Key) {
        if let slot = index[key] { slots[slot].rowCount = count }
    }

    /// Adds a statement that is not there yet, at the cost of the oldest if the cache is full.
    mutating func insert(_ statement: PreparedStatement, for key: Key) {
        guard capacity > 0 else { return evicted.append(statement.name) }
        makeRoom(for: 1)
        let slot = Slot(key: key, statement: statement, rowCount: nil, newer: Self.none, older: Self.none)
        let position = free.popLast() ?? slots.count
        if position == slots.count { slots.append(slot) } else { slots[position] = slot }
        index[key] = position
        linkNewest(position)
    }

    /// Forgets one that the server may or may not have still; its name goes to `evicted` if it has.
    mutating func remove(_ key: Key, serverHasIt: Bool) {
        guard let slot = index[key] else { return }
        drop(slot, evict: serverHasIt)
    }

    /// The server has forgotten all of them (`DISCARD ALL`, `DEALLOCATE ALL`).
    mutating func forgetAll() {
        slots = []
        free = []
        index = [:]
        evicted = []
        newest = Self.none
        oldest = Self.none
    }

    /// Changes how many are kept.
    mutating func resize(to capacity: Int) {
        self.capacity = max(0, capacity)
        makeRoom(for: 0)
    }

    /// The names in `evicted`, for whoever deallocates them.
    mutating func takeEvicted() -> [String] {
        defer { evicted = [] }
        return evicted
    }

    /// They could not be deallocated.
    mutating func keepEvicted(_ names: [String]) { evicted += names }

    private mutating func makeRoom(for added: Int) {
        while count + added > capacity, oldest != Self.none { drop(oldest, evict: true) }
    }

    private mutating func drop(_ slot: Int, evict: Bool) {
        if evict { evicted.append(slots[slot].statement.name) }
        unlink(slot)
        index[slots[slot].key] = nil
        free.append(slot)
    }

    private mutating func unlink(_ slot: Int) {
        let (newer, older) = (slots[slot].newer, slots[slot].older)
        if newer == Self.none { newest = older } else { slots[newer].older = older }
        if older == Self.none { oldest = newer } else { slots[older].newer = newer }
    }

    private mutating func linkNewest(_ slot: Int) {
        slots[slot].newer = Self.none
        slots[slot].older = newest
        if newest == Self.none { oldest = slot } else { slots[newest].newer = slot }
        newest = slot
    }
}
