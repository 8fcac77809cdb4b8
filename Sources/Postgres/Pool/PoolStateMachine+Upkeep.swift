extension PoolStateMachine {
    /// The time asked for by `wake`, or any other time.
    package mutating func timeReached(_ now: MonotonicTime) -> [PoolAction] {
        armed = .distantFuture
        failLate(now)
        if now >= housekeepingDue { keepHouse(now) }
        if case .closing(let deadline) = lifecycle, now >= deadline { abortLeases() }
        return settle(now)
    }

    // MARK: Housekeeping

    private mutating func keepHouse(_ now: MonotonicTime) {
        closeExpired(now)
        reportLeaks(now)
        housekeepingDue = nextHousekeeping(now)
    }

    /// Closes idle connections past their lifetime, and those idle for too long above `min`, oldest first.
    private mutating func closeExpired(_ now: MonotonicTime) {
        var kept: [Int32] = []
        for index in idle {
            let position = Int(index)
            if now >= slots[position].expires {
                close(position, .maxLifetime, now: now)
            } else if now.nanoseconds(since: slots[position].since) >= limits.idleTimeout, live > limits.min {
                close(position, .idleTimeout, now: now)
            } else {
                kept.append(index)
            }
        }
        idle = kept
    }

    private mutating func reportLeaks(_ now: MonotonicTime) {
        for position in slots.indices where slots[position].phase == .leased && !slots[position].isLeakReported {
            let age = now.nanoseconds(since: slots[position].since)
            guard age >= limits.leakAfter else { continue }
            slots[position].isLeakReported = true
            let site = slots[position].site ?? .unknown
            guard !site.isLasting else { continue }
            counters.leaksReported += 1
            actions.append(.reportLeak(id(of: position), site, age: .nanoseconds(age)))
        }
    }

    /// The earliest thing that is due, at most one interval away: whatever begins after now is not due before that.
    private func nextHousekeeping(_ now: MonotonicTime) -> MonotonicTime {
        guard live > 0 else { return .distantFuture }
        var due = now.advanced(by: limits.housekeepingInterval)
        for slot in slots {
            switch slot.phase {
            case .idle:
                due = Swift.min(due, slot.expires)
                let end = slot.since.advanced(by: limits.idleTimeout)
                if end > now { due = Swift.min(due, end) }
            case .leased where !slot.isLeakReported:
                due = Swift.min(due, slot.since.advanced(by: limits.leakAfter))
            case .leased, .offered, .resetting, .checking:
                if slot.expires > now { due = Swift.min(due, slot.expires) }
            case .free, .connecting, .closing:
                break
            }
        }
        return due
    }

    // MARK: Resizing, draining, closing

    package mutating func resized(max: Int, min: Int, now: MonotonicTime) -> [PoolAction] {
        limits.max = max
        limits.min = min
        let surplus = Swift.max(0, used - count(.closing) - max)
        closeIdle(idle.prefix(surplus), .resized, now: now)
        return settle(now)
    }

    /// Every connection that exists now is replaced: idle ones at once, the others when they come back.
    package mutating func drained(now: MonotonicTime) -> [PoolAction] {
        retireAll(.drained)
        closeIdle(idle[...], .drained, now: now)
        return settle(now)
    }

    /// Nobody gets a connection any more; leases may come back until the deadline and are aborted then.
    package mutating func closeRequested(deadline: MonotonicTime, now: MonotonicTime) -> [PoolAction] {
        switch lifecycle {
        case .closed: return []
        case .closing(let earlier): lifecycle = .closing(Swift.min(earlier, deadline))
        case .open: beginClosing(deadline: deadline, now: now)
        }
        if now >= deadline { abortLeases() }
        return settle(now)
    }

    private mutating func beginClosing(deadline: MonotonicTime, now: MonotonicTime) {
        lifecycle = .closing(deadline)
        outage = nil
        withdrawOffers(now)
        failAll(.closed)
        closeIdle(idle[...], .poolClosed, now: now)
        for position in slots.indices where slots[position].phase == .connecting {
            actions.append(.cancelConnect(id(of: position)))
        }
    }

    private mutating func withdrawOffers(_ now: MonotonicTime) {
        for position in slots.indices where slots[position].phase == .offered {
            let waiter = slots[position].waiter
            waiters[waiter] = nil
            close(position, .poolClosed, now: now)
            actions.append(.fail(waiter, .closed))
        }
    }

    /// Takes away what is still leased. The slots stay theirs, but nobody waits for them any longer.
    private mutating func abortLeases() {
        let leased = slots.indices.filter { slots[$0].phase == .leased }
        for position in leased {
            actions.append(.abort(id(of: position)))
        }
        lifecycle = .closed
        actions.append(.finishClosing(aborted: leased.count))
    }

    mutating func finishClosingIfEmpty() {
        guard used == 0 else { return }
        lifecycle = .closed
        actions.append(.finishClosing(aborted: 0))
    }

    private mutating func retireAll(_ reason: CloseReason) {
        for position in slots.indices {
            switch slots[position].phase {
            case .connecting, .offered, .leased, .resetting, .checking: slots[position].retirement = reason
            case .free, .idle, .closing: break
            }
        }
    }

    private mutating func closeIdle(_ indexes: ArraySlice<Int32>, _ reason: CloseReason, now: MonotonicTime) {
        for index in indexes {
            close(Int(index), reason, now: now)
        }
        idle.removeFirst(indexes.count)
    }
}
