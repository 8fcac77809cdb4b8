extension PoolStateMachine {
    /// The pool is to fill itself up to `min` without waiting for its first borrower.
    package mutating func warmUpRequested(now: MonotonicTime) -> [PoolAction] {
        guard lifecycle == .open else { return [] }
        isActivated = true
        return settle(now)
    }

    /// - Parameter random: 0 ..< 1; shortens the connection's lifetime by up to 5 %.
    package mutating func connectSucceeded(_ id: ConnectionID, now: MonotonicTime, random: Double) -> [PoolAction] {
        guard let position = position(of: id, in: .connecting) else { return [] }
        let took = now.nanoseconds(since: slots[position].since)
        connectTimes.record(took)
        demand.noteConnect(took)
        counters.created += 1
        outage = nil
        slots[position].expires = expiry(now: now, random: random)
        housekeepingDue = Swift.min(
            housekeepingDue, slots[position].expires, now.advanced(by: limits.housekeepingInterval))
        if isKeepable(position, now: now) { makeIdle(position, now: now) }
        return settle(now)
    }

    /// The attempt is over and its socket closed.
    ///
    /// - Parameter random: 0 ..< 1; spreads the next attempt.
    package mutating func connectFailed(
        _ id: ConnectionID, _ failure: ConnectFailure, now: MonotonicTime, random: Double
    ) -> [PoolAction] {
        guard let position = position(of: id, in: .connecting) else { return [] }
        free(position, now: now)
        counters.connectsFailed += 1
        if lifecycle == .open { noteFailure(failure, now: now, random: random) }
        return settle(now)
    }

    // MARK: Starting

    /// Somebody who does not wait found an empty pool: the next try is to find a connection.
    mutating func startFirstConnect(_ now: MonotonicTime) {
        guard lifecycle == .open, live == 0, count(.connecting) == 0, used < limits.max else { return }
        if let outage, now < outage.nextAttempt { return }
        startConnect(now)
    }

    /// Starts as many connects as demand, `min` and an outage allow.
    mutating func startConnects(_ now: MonotonicTime) {
        let room = limits.max - used
        guard room > 0 else { return }
        guard outage == nil else { return probe(now) }
        for _ in 0..<Swift.min(room, Swift.max(shortfall, connectsForWaiters(now))) {
            startConnect(now)
        }
    }

    /// During an outage there is one attempt at a time, spaced by the back-off.
    private mutating func probe(_ now: MonotonicTime) {
        guard let outage, count(.connecting) == 0, now >= outage.nextAttempt, needsProbe(now) else { return }
        startConnect(now)
    }

    /// Somebody wants a connection, or newcomers are being turned away and only a success can end that.
    private func needsProbe(_ now: MonotonicTime) -> Bool {
        guard let outage, lifecycle == .open, used < limits.max else { return false }
        return waiting > 0 || shortfall > 0 || (isHopeless(now) && !outage.failure.isPermanent)
    }

    /// Connections missing to `min`, as far as they may be started together.
    private var shortfall: Int {
        let missing = isActivated ? limits.min - live - count(.connecting) : 0
        return Swift.max(0, Swift.min(missing, Swift.max(2 * ConnectDemand.burst, live) - count(.connecting)))
    }

    private func connectsForWaiters(_ now: MonotonicTime) -> Int {
        guard waiting > 0 else { return 0 }
        var supply = ConnectDemand.Supply()
        supply.connecting = count(.connecting)
        for slot in slots {
            let age = now.nanoseconds(since: slot.since)
            switch slot.phase {
            case .leased, .offered: supply.leaseAges.append(age)
            case .idle, .checking, .resetting: supply.maintenanceAges.append(age)
            case .free, .connecting, .closing: break
            }
        }
        return demand.connectsWorthStarting(waiting: waiting, supply: supply)
    }

    mutating func startConnect(_ now: MonotonicTime) {
        let position = freePosition()
        move(position, to: .connecting, now: now)
        slots[position].generation = generation
        counters.connectsStarted += 1
        actions.append(.connect(id(of: position)))
    }

    private mutating func freePosition() -> Int {
        if let index = freeSlots.popLast() { return Int(index) }
        slots.append(PoolSlot())
        counts[PoolSlot.Phase.free.rawValue] += 1
        return slots.count - 1
    }

    /// Empties a slot; whoever still knows its connection's name is told "unknown" from now on.
    mutating func free(_ position: Int, now: MonotonicTime) {
        move(position, to: .free, now: now)
        var empty = PoolSlot()
        empty.serial = slots[position].serial &+ 1
        slots[position] = empty
        freeSlots.append(Int32(truncatingIfNeeded: position))
    }

    private func expiry(now: MonotonicTime, random: Double) -> MonotonicTime {
        guard limits.maxLifetime != .max else { return .distantFuture }
        return now.advanced(by: limits.maxLifetime - Int64(Double(limits.maxLifetime) * 0.05 * random))
    }

    // MARK: Outages

    private mutating func noteFailure(_ failure: ConnectFailure, now: MonotonicTime, random: Double) {
        var current = outage ?? newOutage(failure, now: now)
        if now.nanoseconds(since: current.lastFailed) > ReconnectBackoff.longest * 2 {
            current = newOutage(failure, now: now)
        }
        current.failures += 1
        current.lastFailed = now
        current.failure = failure
        current.nextAttempt = now.advanced(
            by: ReconnectBackoff.delay(afterFailures: current.failures, random: random))
        outage = current
    }

    /// A failure long after the last one, while nobody tried, is a new outage.
    private mutating func newOutage(_ failure: ConnectFailure, now: MonotonicTime) -> Outage {
        // Those who wait are told an outage that does not end by itself.
        if !failure.isPermanent || live > 0 || waiting == 0 { actions.append(.reportFailure(failure)) }
        return Outage(since: now, lastFailed: now, nextAttempt: now, failures: 0, failure: failure)
    }

    /// Nothing is alive, and waiting would not help: refused for good, or failing for too long.
    func isHopeless(_ now: MonotonicTime) -> Bool {
        guard let outage, live == 0 else { return false }
        return outage.failure.isPermanent || now.nanoseconds(since: outage.since) >= limits.failFastAfter
    }

    mutating func failHopelessWaiters(_ now: MonotonicTime) {
        guard waiting > 0, let outage, isHopeless(now) else { return }
        guard !outage.failure.isPermanent || now < outage.nextAttempt else { return }
        failAll(unavailability(outage, now: now))
    }

    // MARK: Waking up

    /// Asks to be woken for whatever is due next.
    mutating func arm(_ now: MonotonicTime) {
        var due = housekeepingDue
        if !waiters.isEmpty { due = Swift.min(due, earliestDeadline) }
        if case .closing(let deadline) = lifecycle { due = Swift.min(due, deadline) }
        if let outage {
            if count(.connecting) == 0, needsProbe(now) { due = Swift.min(due, outage.nextAttempt) }
            let opening = outage.since.advanced(by: limits.failFastAfter)
            if waiting > 0, live == 0, opening > now { due = Swift.min(due, opening) }
        } else if waiting > 0, used < limits.max {
            due = Swift.min(due, now.advanced(by: demand.reviewInterval))
        }
        guard due < armed else { return }
        armed = due
        actions.append(.wake(due))
    }
}
