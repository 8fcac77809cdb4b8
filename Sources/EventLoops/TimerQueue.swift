import HeapModule

/// Timers in the order of their deadlines; those of one instant fire in the order they were added.
struct TimerQueue {
    enum Action {
        case call(() -> Void)
        case resume(WaitContinuation)
    }

    private struct Entry: Comparable {
        let deadline: ContinuousClock.Instant
        let id: UInt64

        static func < (left: Entry, right: Entry) -> Bool {
            (left.deadline, left.id) < (right.deadline, right.id)
        }
    }

    /// Entries whose action is gone are stale: a removed timer stays here until its time or the next clean-up.
    private var heap: Heap<Entry> = []
    private var actions: [UInt64: Action] = [:]

    var earliest: ContinuousClock.Instant? { heap.min?.deadline }

    mutating func add(_ id: UInt64, at deadline: ContinuousClock.Instant, _ action: Action) {
        actions[id] = action
        heap.insert(Entry(deadline: deadline, id: id))
    }

    mutating func remove(_ id: UInt64) -> Action? {
        let action = actions.removeValue(forKey: id)
        if heap.count > 2 * actions.count + 64 {
            heap = Heap(heap.unordered.filter { actions[$0.id] != nil })
        }
        return action
    }

    mutating func removeAll() -> [Action] {
        defer { self = TimerQueue() }
        return Array(actions.values)
    }

    /// Takes out the next action whose deadline is not after `now`.
    mutating func popDue(_ now: ContinuousClock.Instant) -> Action? {
        while let entry = heap.min, entry.deadline <= now {
            heap.removeMin()
            if let action = actions.removeValue(forKey: entry.id) { return action }
        }
        return nil
    }
}
