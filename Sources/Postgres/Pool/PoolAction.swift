/// What the pool's owner has to do next, in this order. Each is answered by the event named beside it.
package enum PoolAction: Equatable, Sendable {
    /// Start connecting: `connectSucceeded` or `connectFailed`.
    case connect(ConnectionID)
    /// Give up a connect that is under way, sooner than its deadline; its own event follows.
    case cancelConnect(ConnectionID)
    /// Close, and report `closed` when the server's backend is gone too.
    case close(ConnectionID)
    /// Tell the waiter: `offerAccepted` or `waiterCancelled`.
    case offer(ConnectionID, WaiterID)
    /// Tell the waiter that it gets none; nothing follows.
    case fail(WaiterID, PoolError)
    /// Ping in the background: `checkSucceeded` or `checkFailed`.
    case check(ConnectionID)
    /// Clean up in the background: `resetSucceeded` or `resetFailed`.
    case reset(ConnectionID)
    /// Report `timeReached` at this time; an earlier wish still stands.
    case wake(MonotonicTime)
    /// Tell the log that a lease has been held for `age`.
    case reportLeak(ConnectionID, BorrowSite, age: Duration)
    /// Tell the log that connecting began to fail.
    case reportFailure(ConnectFailure)
    /// Take the connection away from its holder: cut the socket, mark the lease.
    case abort(ConnectionID)
    /// The pool is closed; `aborted` leases were taken away.
    case finishClosing(aborted: Int)
}
