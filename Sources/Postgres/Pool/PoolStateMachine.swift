import DequeModule

/// Decides who gets which connection, and when connections are made, checked and closed.
///
/// A pure value: no socket, clock or lock, and connections are only names. Each event tells what has happened
/// and when; the answer is what the owner must do next. Random numbers (0 ..< 1) are passed in like the time.
package struct PoolStateMachine: Sendable {
    enum Lifecycle: Equatable {
        case open
        /// Leases may come back until the deadline. Goes to `closed`.
        case closing(MonotonicTime)
        /// Final; `aborted` leases never came back in time.
        case closed
    }

    struct Waiter {
        enum Phase: Equatable {
            /// In the queue.
            case waiting
            /// Told about a connection; has not answered yet.
            case offered(ConnectionID)
        }

        let id: WaiterID
        let borrower: BorrowerID
        let site: BorrowSite
        let arrived: MonotonicTime
        let deadline: MonotonicTime
        var phase = Phase.waiting

        /// Does not wait, not even for a ping.
        var isImmediate: Bool { deadline <= arrived }
    }

    /// An unbroken run of failed connects.
    struct Outage {
        var since: MonotonicTime
        var lastFailed: MonotonicTime
        var nextAttempt: MonotonicTime
        var failures: Int
        var failure: ConnectFailure
    }

    var limits: PoolLimits
    var lifecycle = Lifecycle.open
    var slots: [PoolSlot] = []
    /// How many slots are in each phase, by its raw value.
    var counts = InlineArray<8, Int>(repeating: 0)
    var freeSlots: [Int32] = []
    /// Slots of idle connections; the last one was returned last and is used first.
    var idle: [Int32] = []
    /// First come, first served. Entries of waiters who left are skipped.
    var queue = Deque<WaiterID>()
    var waiters: [WaiterID: Waiter] = [:]
    /// Waiters in the queue; those who have been offered something are not counted.
    var waiting = 0
    /// No waiter's deadline is earlier.
    var earliestDeadline = MonotonicTime.distantFuture
    /// Connections made before the last sign of a dying server have an older one.
    var generation: UInt32 = 0
    var outage: Outage?
    var demand = ConnectDemand()
    /// The pool has been used, so `min` applies.
    var isActivated = false
    var housekeepingDue = MonotonicTime.distantFuture
    /// The earliest wake-up already asked for.
    var armed = MonotonicTime.distantFuture
    var actions: [PoolAction] = []
    var counters = PoolCounters()
    var waitTimes = LatencyHistogram()
    var useTimes = LatencyHistogram()
    var connectTimes = LatencyHistogram()

    package init(_ settings: PoolSettings) {
        limits = PoolLimits(settings)
    }

    // MARK: Borrowing without waiting

    /// Takes the connection returned last, when it needs no more than the cheap liveness check and nobody waits.
    ///
    /// Never does anything else, so it has no actions; nil means that the borrower has to queue.
    package mutating func takeIdle(
        borrower: BorrowerID, site: BorrowSite, now: MonotonicTime
    ) -> ConnectionID? {
        guard waiting == 0, let index = idle.last else { return nil }
        let position = Int(index)
        guard
            now.nanoseconds(since: slots[position].since) < limits.checkIdle,
            now < slots[position].expires
        else { return nil }
        idle.removeLast()
        lease(position, to: borrower, site: site, now: now)
        return ConnectionID(slot: index, serial: slots[position].serial)
    }

    /// A lease came back and its session is clean.
    package mutating func returnedClean(_ id: ConnectionID, now: MonotonicTime) -> [PoolAction] {
        guard let position = position(of: id, in: .leased) else { return [] }
        noteUse(position, now: now)
        guard isKeepable(position, now: now) else { return settle(now) }
        makeIdle(position, now: now)
        return waiting == 0 ? [] : settle(now)
    }

    // MARK: State changes shared by all events

    func count(_ phase: PoolSlot.Phase) -> Int { counts[phase.rawValue] }

    /// Connections that exist and are not on their way out.
    var live: Int { count(.idle) + count(.offered) + count(.leased) + count(.resetting) + count(.checking) }

    /// Backends that may exist on the server.
    var used: Int { live + count(.connecting) + count(.closing) }

    /// The slot, when it still holds that connection and is in that phase.
    func position(of id: ConnectionID, in phase: PoolSlot.Phase) -> Int? {
        let position = Int(id.slot)
        guard slots.indices.contains(position), slots[position].serial == id.serial, slots[position].phase == phase
        else { return nil }
        return position
    }

    func id(of position: Int) -> ConnectionID {
        ConnectionID(slot: Int32(truncatingIfNeeded: position), serial: slots[position].serial)
    }

    mutating func move(_ position: Int, to phase: PoolSlot.Phase, now: MonotonicTime) {
        counts[slots[position].phase.rawValue] -= 1
        counts[phase.rawValue] += 1
        slots[position].phase = phase
        slots[position].since = now
    }

    mutating func lease(_ position: Int, to borrower: BorrowerID, site: BorrowSite, now: MonotonicTime) {
        move(position, to: .leased, now: now)
        slots[position].borrower = borrower
        slots[position].site = site
        slots[position].isLeakReported = false
        counters.acquired &+= 1
    }

    mutating func makeIdle(_ position: Int, now: MonotonicTime) {
        move(position, to: .idle, now: now)
        slots[position].site = nil
        idle.append(Int32(truncatingIfNeeded: position))
    }

    mutating func noteUse(_ position: Int, now: MonotonicTime) {
        let used = now.nanoseconds(since: slots[position].since)
        useTimes.record(used)
        demand.noteUse(used)
    }

    /// False when the connection went elsewhere: to be closed, or to be pinged first.
    mutating func isKeepable(_ position: Int, now: MonotonicTime) -> Bool {
        if let reason = closeReason(position, now: now) {
            close(position, reason, now: now)
            return false
        }
        guard slots[position].generation == generation else {
            check(position, now: now)
            return false
        }
        return true
    }

    private func closeReason(_ position: Int, now: MonotonicTime) -> CloseReason? {
        if lifecycle != .open { return .poolClosed }
        if let reason = slots[position].retirement { return reason }
        if now >= slots[position].expires { return .maxLifetime }
        return used - count(.closing) > limits.max ? .resized : nil
    }

    mutating func close(_ position: Int, _ reason: CloseReason, now: MonotonicTime) {
        move(position, to: .closing, now: now)
        slots[position].site = nil
        counters.destroyed[reason, default: 0] += 1
        actions.append(.close(id(of: position)))
    }

    mutating func check(_ position: Int, now: MonotonicTime) {
        move(position, to: .checking, now: now)
        slots[position].site = nil
        slots[position].generation = generation
        counters.checks += 1
        actions.append(.check(id(of: position)))
    }

    /// Applies the policy to whatever the event left behind, and hands the actions over.
    mutating func settle(_ now: MonotonicTime) -> [PoolAction] {
        switch lifecycle {
        case .open:
            serveWaiters(now)
            failHopelessWaiters(now)
            startConnects(now)
        case .closing:
            finishClosingIfEmpty()
        case .closed:
            break
        }
        arm(now)
        defer { actions = [] }
        return actions
    }
}
