package import EventLoops
import Synchronization

extension ConnectionPool {
    /// A connection, waiting for one in the order of asking. On `loop`'s thread, where the lease belongs from then on.
    ///
    /// - Parameter timeout: the pool's own if nil; zero does not wait.
    package func acquire(
        on loop: EventLoop, timeout: Duration? = nil, site: BorrowSite = .unknown, borrower: BorrowerID = .anonymous
    ) async throws(PoolError) -> Lease {
        if let lease = tryAcquire(on: loop, site: site, borrower: borrower) { return lease }
        let waiter = enqueue(timeout: timeout ?? settings.timeout, site: site, borrower: borrower)
        while true {
            await news(for: waiter, on: loop)
            if let lease = try answer(waiter, on: loop, site: site) { return lease }
        }
    }

    private func enqueue(timeout: Duration, site: BorrowSite, borrower: BorrowerID) -> WaiterID {
        let now = MonotonicTime.now
        let (waiter, errands) = state.withLock { state in
            state.lastWaiter += 1
            let id = WaiterID(number: state.lastWaiter)
            state.mailboxes[id] = Mailbox()
            let actions = state.machine.waiterArrived(
                id, borrower: borrower, site: site, deadline: now + timeout, now: now)
            return (id, state.deliver(actions))
        }
        perform(errands)
        return waiter
    }

    /// Returns when there is something in the mailbox. The explicit `isolation` keeps the closures on the caller's
    /// actor; the preference makes the continuation resume there, and not by way of the global pool.
    private func news(
        for waiter: WaiterID, on loop: EventLoop, isolation: isolated (any Actor)? = #isolation
    ) async {
        await withTaskCancellationHandler {
            _ = isolation
            await withTaskExecutorPreference(loop) {
                _ = isolation
                await withUnsafeContinuation { register($0, for: waiter) }
            }
        } onCancel: {
            cancel(waiter)
        }
    }

    private func register(_ continuation: UnsafeContinuation<Void, Never>, for waiter: WaiterID) {
        let isThere = state.withLock { state in
            guard let box = state.mailboxes[waiter], box.isEmpty else { return true }
            state.mailboxes[waiter]?.continuation = continuation
            return false
        }
        if isThere { continuation.resume() }
    }

    private func cancel(_ waiter: WaiterID) {
        update { state in
            // Unknown to the machine: refused already, and hears of that instead.
            guard state.machine.knows(waiter) else { return [] }
            return state.machine.waiterCancelled(waiter, now: .now) + [.fail(waiter, .cancelled)]
        }
    }

    /// Takes what the mailbox holds: a lease, an error, or nothing after all.
    private func answer(_ waiter: WaiterID, on loop: EventLoop, site: BorrowSite) throws(PoolError) -> Lease? {
        let now = MonotonicTime.now
        let (offer, connection, failure) = state.withLock { state in
            state.takeOffer(waiter, on: loop, now: now)
        }
        if let failure { throw failure }
        guard let offer, let connection else { return nil }
        if let fault = fault(of: connection, now: .now) {
            update { $0.machine.acceptedFoundDead(offer, fault, now: .now) }
            return nil
        }
        state.withLock { $0.mailboxes[waiter] = nil }
        return Lease(connection, offer.connection, of: self, site: site)
    }
}

extension ConnectionPool.State {
    fileprivate mutating func takeOffer(
        _ waiter: WaiterID, on loop: EventLoop, now: MonotonicTime
    ) -> (AcceptedOffer?, Connection?, PoolError?) {
        if let failure = mailboxes[waiter]?.failure {
            mailboxes[waiter] = nil
            return (nil, nil, failure)
        }
        mailboxes[waiter]?.hasOffer = false
        guard let offer = machine.offerAccepted(waiter, now: now),
            let connection = connections[Int(offer.connection.slot)]
        else { return (nil, nil, nil) }
        connection.moveIfNeeded(to: loop)
        return (offer, connection, nil)
    }
}
