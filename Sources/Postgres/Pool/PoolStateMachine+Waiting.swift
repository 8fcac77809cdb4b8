import DequeModule

extension PoolStateMachine {
    /// A borrower who could not be served at once starts to wait; a deadline of `now` or earlier does not wait.
    package mutating func waiterArrived(
        _ id: WaiterID, borrower: BorrowerID, site: BorrowSite, deadline: MonotonicTime, now: MonotonicTime
    ) -> [PoolAction] {
        guard lifecycle == .open else { return [.fail(id, .closed)] }
        isActivated = true
        enqueue(Waiter(id: id, borrower: borrower, site: site, arrived: now, deadline: deadline))
        serveWaiters(now)
        if let waiter = waiters[id], waiter.phase == .waiting {
            if let error = refusal(of: waiter, now: now) {
                refuse(waiter, error)
                if waiter.isImmediate { startFirstConnect(now) }
            } else {
                counters.waited += 1
            }
        }
        return settle(now)
    }

    /// The waiter takes what it was offered; nil when the offer was withdrawn meanwhile.
    package mutating func offerAccepted(_ id: WaiterID, now: MonotonicTime) -> AcceptedOffer? {
        guard
            let waiter = waiters[id], case .offered(let connection) = waiter.phase,
            let position = position(of: connection, in: .offered)
        else { return nil }
        waiters[id] = nil
        lease(position, to: waiter.borrower, site: waiter.site, now: now)
        waitTimes.record(now.nanoseconds(since: waiter.arrived))
        return AcceptedOffer(connection: connection, waiter: waiter)
    }

    /// What was accepted turned out dead before use: the waiter goes back to the head of the queue.
    ///
    /// - Parameter fault: `foundDead` or `roleChanged`.
    package mutating func acceptedFoundDead(
        _ offer: AcceptedOffer, _ fault: CloseReason = .foundDead, now: MonotonicTime
    ) -> [PoolAction] {
        guard let position = position(of: offer.connection, in: .leased) else { return [] }
        var waiter = offer.waiter
        waiter.phase = .waiting
        waiters[waiter.id] = waiter
        queue.prepend(waiter.id)
        waiting += 1
        earliestDeadline = Swift.min(earliestDeadline, waiter.deadline)
        noteFault(position, fault, now: now)
        if lifecycle != .open { failAll(.closed) }
        return settle(now)
    }

    /// A connection just taken by `takeIdle` turned out dead.
    ///
    /// - Parameter fault: `foundDead` or `roleChanged`.
    package mutating func takenFoundDead(
        _ id: ConnectionID, _ fault: CloseReason = .foundDead, now: MonotonicTime
    ) -> [PoolAction] {
        guard let position = position(of: id, in: .leased) else { return [] }
        counters.acquired &-= 1
        noteFault(position, fault, now: now)
        return settle(now)
    }

    /// The waiting task was cancelled, before or after it was offered something. Nothing is owed to it any more.
    package mutating func waiterCancelled(_ id: WaiterID, now: MonotonicTime) -> [PoolAction] {
        guard let waiter = waiters[id] else { return [] }
        counters.cancelled += 1
        remove(waiter, now: now)
        return settle(now)
    }

    // MARK: -

    private mutating func enqueue(_ waiter: Waiter) {
        waiters[waiter.id] = waiter
        queue.append(waiter.id)
        waiting += 1
        earliestDeadline = Swift.min(earliestDeadline, waiter.deadline)
        guard queue.count > 2 * waiting + 16 else { return }
        queue.removeAll { waiters[$0]?.phase != .waiting }
    }

    /// Offers idle connections to waiters, the last returned one to the first come.
    mutating func serveWaiters(_ now: MonotonicTime) {
        while waiting > 0, let index = idle.last, let waiter = firstWaiter() {
            let position = Int(index)
            if now >= slots[position].expires {
                idle.removeLast()
                close(position, .maxLifetime, now: now)
            } else if now.nanoseconds(since: slots[position].since) >= limits.checkIdle, !waiter.isImmediate,
                slots[position].since < now
            {
                guard count(.checking) < waiting else { return }
                idle.removeLast()
                check(position, now: now)
            } else {
                idle.removeLast()
                offer(position, to: waiter, now: now)
            }
        }
    }

    private mutating func firstWaiter() -> Waiter? {
        while let id = queue.first {
            if let waiter = waiters[id], waiter.phase == .waiting { return waiter }
            queue.removeFirst()
        }
        return nil
    }

    private mutating func offer(_ position: Int, to waiter: Waiter, now: MonotonicTime) {
        queue.removeFirst()
        waiting -= 1
        move(position, to: .offered, now: now)
        slots[position].waiter = waiter.id
        let connection = id(of: position)
        waiters[waiter.id]?.phase = .offered(connection)
        actions.append(.offer(connection, waiter.id))
    }

    /// Forgets the waiter; what it was offered goes back on the stack, for the next one.
    private mutating func remove(_ waiter: Waiter, now: MonotonicTime) {
        waiters[waiter.id] = nil
        switch waiter.phase {
        case .waiting:
            waiting -= 1
        case .offered(let connection):
            guard let position = position(of: connection, in: .offered) else { return }
            if isKeepable(position, now: now) { makeIdle(position, now: now) }
        }
    }

    private mutating func noteFault(_ position: Int, _ fault: CloseReason, now: MonotonicTime) {
        if fault == .foundDead { counters.deadFound += 1 }
        close(position, fault, now: now)
        suspectIdle(now)
    }

    // MARK: Refusing

    /// Why the newcomer must not even start to wait.
    private func refusal(of newcomer: Waiter, now: MonotonicTime) -> PoolError? {
        if let outage, isHopeless(now), !(outage.failure.isPermanent && now >= outage.nextAttempt) {
            return unavailability(outage, now: now)
        }
        if newcomer.isImmediate { return .timedOut(facts(waited: newcomer, now: now)) }
        if waiting > limits.maxWaiting {
            return .tooManyWaiting(limit: limits.maxWaiting, facts(waited: newcomer, now: now))
        }
        return isDeadlocked(by: newcomer)
            ? .selfDeadlock(max: limits.max, holders: longestHolders(now)) : nil
    }

    private mutating func refuse(_ waiter: Waiter, _ error: PoolError) {
        waiters[waiter.id] = nil
        waiting -= 1
        count(error)
        actions.append(.fail(waiter.id, error))
    }

    private mutating func count(_ error: PoolError) {
        switch error {
        case .timedOut: counters.timeouts += 1
        case .tooManyWaiting: counters.refused += 1
        case .unavailable, .rejected: counters.unavailable += 1
        case .selfDeadlock: counters.deadlocks += 1
        case .closed, .cancelled, .alreadyReturned, .usedAfterReturn, .leaseAborted, .foreignConnection, .hookEnded,
            .invalidOption:
            break
        }
    }

    /// Every connection is leased, to tasks that all wait here: nobody is left who could return one.
    private func isDeadlocked(by newcomer: Waiter) -> Bool {
        guard newcomer.borrower != .anonymous, count(.leased) >= limits.max else { return false }
        let leased = slots.filter { $0.phase == .leased }
        guard leased.contains(where: { $0.borrower == newcomer.borrower }) else { return false }
        let stuck = Set(waiters.values.filter { $0.phase == .waiting }.map(\.borrower))
        return leased.allSatisfy { $0.borrower != .anonymous && stuck.contains($0.borrower) }
    }

    func unavailability(_ outage: Outage, now: MonotonicTime) -> PoolError {
        outage.failure.isPermanent
            ? .rejected(outage.failure)
            : .unavailable(outage.failure, failingFor: .nanoseconds(now.nanoseconds(since: outage.since)))
    }

    /// Fails everybody in the queue, and everybody who has been offered something but did not answer yet.
    mutating func failAll(_ error: PoolError) {
        for waiter in waiters.values.sorted(by: { $0.id.number < $1.id.number }) where waiter.phase == .waiting {
            refuse(waiter, error)
        }
        queue.removeAll()
    }

    /// Fails those whose time is over, offered or not.
    mutating func failLate(_ now: MonotonicTime) {
        guard earliestDeadline <= now else { return }
        for waiter in waiters.values.filter({ $0.deadline <= now }).sorted(by: { $0.id.number < $1.id.number }) {
            remove(waiter, now: now)
            counters.timeouts += 1
            actions.append(.fail(waiter.id, .timedOut(facts(waited: waiter, now: now))))
        }
        earliestDeadline = waiters.values.map(\.deadline).min() ?? .distantFuture
    }

    private func facts(waited waiter: Waiter, now: MonotonicTime) -> PoolTimeout {
        PoolTimeout(
            waited: .nanoseconds(now.nanoseconds(since: waiter.arrived)),
            max: limits.max, inUse: count(.leased) + count(.offered), idle: count(.idle),
            waiting: waiters[waiter.id]?.phase == .waiting ? waiting - 1 : waiting,
            connecting: count(.connecting), lastFailure: outage?.failure, holders: longestHolders(now))
    }

    private func longestHolders(_ now: MonotonicTime) -> [PoolTimeout.Holder] {
        slots.filter { $0.phase == .leased }.sorted { $0.since < $1.since }.prefix(3).map {
            PoolTimeout.Holder(
                site: ($0.site ?? .unknown).description, age: .nanoseconds(now.nanoseconds(since: $0.since)))
        }
    }
}

/// A connection that a waiter has taken, and the waiter, should it have to queue again.
package struct AcceptedOffer: Sendable {
    package let connection: ConnectionID
    let waiter: PoolStateMachine.Waiter
}
