package import EventLoops
import Synchronization

/// Lends connections to tasks on any number of event loops.
///
/// A thin shell around `PoolStateMachine`: decisions are made under a lock, and carried out outside of it.
/// Connecting, closing, pinging and timers happen on an event loop of the pool's own, started when it is first
/// needed, so they outlive whoever asked and never wait for a busy worker. Borrowing an idle connection and
/// returning a clean one touches neither that loop nor any task: a lock, a clock, one poll(2), one small object.
///
/// Callable from any thread, unless a method says otherwise.
package final class ConnectionPool: Sendable {
    /// What a waiter will hear.
    struct Mailbox {
        var continuation: UnsafeContinuation<Void, Never>?
        var hasOffer = false
        var failure: PoolError?

        var isEmpty: Bool { !hasOffer && failure == nil }
    }

    struct State {
        var machine: PoolStateMachine
        /// By slot.
        var connections: [Connection?] = []
        var mailboxes: [WaiterID: Mailbox] = [:]
        var lastWaiter: UInt64 = 0
        var connects: [ConnectionID: Task<Void, Never>] = [:]
        var keeper: PoolKeeper?
        /// Those who wait for the pool to be closed, and the number of aborted leases when it is.
        var closers: [UnsafeContinuation<Int, Never>] = []
        var aborted: Int?
    }

    let settings: PoolSettings
    let hooks: PoolHooks
    let resetLevel: ResetLevel
    let state: Mutex<State>
    /// The server's role matters: `target_session_attrs` was seen to ask for one.
    let role = RoleWish()

    /// Checks the settings; connects nothing yet.
    package init(_ settings: PoolSettings, hooks: PoolHooks) throws(PoolError) {
        self.settings = try settings.validated()
        self.hooks = hooks
        resetLevel = settings.reset
        state = Mutex(State(machine: PoolStateMachine(settings)))
    }

    deinit {
        state.withLock { $0.keeper }?.loop.stop()
    }

    // MARK: Borrowing and returning, without waiting

    /// An idle connection, if one is at hand that needs no more than the liveness check. On `loop`'s thread.
    package func tryAcquire(
        on loop: EventLoop, site: BorrowSite = .unknown, borrower: BorrowerID = .anonymous
    ) -> Lease? {
        let now = MonotonicTime.now
        while true {
            let taken = state.withLock { state -> (ConnectionID, Connection)? in
                guard let id = state.machine.takeIdle(borrower: borrower, site: site, now: now),
                    let connection = state.connections[Int(id.slot)]
                else { return nil }
                connection.moveIfNeeded(to: loop)
                return (id, connection)
            }
            guard let (id, connection) = taken else { return nil }
            guard let fault = fault(of: connection, now: now) else {
                return Lease(connection, id, of: self, site: site)
            }
            update { $0.machine.takenFoundDead(id, fault, now: .now) }
        }
    }

    /// Gives a connection back; a lease that has ended is left alone. On the thread of the lease's event loop.
    ///
    /// Never fails: a connection that cannot be kept is closed, and its slot is free for another one.
    ///
    /// - Parameter discard: close the connection instead of keeping it.
    package func release(_ lease: Lease, discard: Bool = false) {
        guard lease.pool === self, let (connection, isRoleInDoubt) = lease.end(at: nil) else { return }
        takeBack(connection, lease.id, discard: discard, isRoleInDoubt: isRoleInDoubt)
    }

    /// Gives a connection back by a statement of the program at `site`, which is told if that makes no sense.
    package func putBack(_ lease: Lease, discard: Bool = false, at site: BorrowSite) throws(PoolError) {
        guard lease.pool === self else { throw .foreignConnection(borrowed: lease.site.description) }
        guard let (connection, isRoleInDoubt) = lease.end(at: site) else { throw lease.alreadyReturned }
        takeBack(connection, lease.id, discard: discard, isRoleInDoubt: isRoleInDoubt)
    }

    /// Takes back what its holder has forgotten, and warns.
    func reclaim(_ connection: Connection, _ id: ConnectionID, site: BorrowSite) {
        state.withLock { $0.machine.leaseForgotten() }
        takeBack(connection, id, discard: false, isRoleInDoubt: false)
        hooks.onWarning(.forgotten(site: site.description))
    }

    private func takeBack(_ connection: Connection, _ id: ConnectionID, discard: Bool, isRoleInDoubt: Bool) {
        let condition = condition(of: connection, discard: discard, isRoleInDoubt: isRoleInDoubt)
        let now = MonotonicTime.now
        guard condition == nil else {
            return update { $0.machine.returned(id, condition ?? .dirty, now: now) }
        }
        connection.onNotice = nil
        let actions = state.withLock { state in
            let actions = state.machine.returnedClean(id, now: now)
            return actions.isEmpty ? nil : state.deliver(actions)
        }
        if let actions { perform(actions) }
    }

    /// What has to be done with a returned connection, nil for nothing.
    private func condition(
        of connection: Connection, discard: Bool, isRoleInDoubt: Bool
    ) -> ReturnCondition? {
        if connection.isBroken { return .broken }
        if discard { return .discarded }
        if isRoleInDoubt || (needsRole && !role.isFulfilled(by: connection)) { return .roleChanged }
        return connection.isClean(for: resetLevel) ? nil : .dirty
    }

    var needsRole: Bool { role.isSet }

    /// Why a connection must not be handed out, as far as can be seen without a round trip.
    func fault(of connection: Connection, now: MonotonicTime) -> CloseReason? {
        guard connection.isAlive(at: now) else { return .foundDead }
        return needsRole && !role.isFulfilled(by: connection) ? .roleChanged : nil
    }

    // MARK: The pool as a whole

    package func statistics() -> PoolStatistics {
        state.withLock { $0.machine.statistics }
    }

    /// A borrower has seen that the server ends: idle connections are looked at before they are used again.
    func reportLoss() {
        update { $0.machine.serverLossReported(now: .now) }
    }

    /// The borrower holds a connection.
    package func hasLeases(of borrower: BorrowerID) -> Bool {
        state.withLock { $0.machine.hasLeases(of: borrower) }
    }

    /// Fills the pool up to `min` without waiting for its first borrower. Returns at once.
    package func warmUp() {
        update { $0.machine.warmUpRequested(now: .now) }
    }

    /// Changes the bounds; surplus connections are closed when idle or when they come back.
    package func resize(max: Int, min: Int? = nil) throws(PoolError) {
        var changed = settings
        changed.max = max
        changed.min = min ?? Swift.min(max, statistics().min)
        let valid = try changed.validated()
        update { $0.machine.resized(max: valid.max, min: valid.min, now: .now) }
    }

    /// Replaces every connection: idle ones now, the others when they come back. Returns at once.
    package func drain() {
        update { $0.machine.drained(now: .now) }
    }

    /// Refuses everybody from now on, waits for leases until `timeout`, then cuts them off.
    ///
    /// - Returns: how many leases were cut off. Returns at once when the pool is closed already.
    @discardableResult
    package func close(timeout: Duration) async -> Int {
        let now = MonotonicTime.now
        update { $0.machine.closeRequested(deadline: now + timeout, now: now) }
        return await withUnsafeContinuation { continuation in
            let aborted = state.withLock { state -> Int? in
                if state.aborted == nil { state.closers.append(continuation) }
                return state.aborted
            }
            if let aborted { continuation.resume(returning: aborted) }
        }
    }
}
