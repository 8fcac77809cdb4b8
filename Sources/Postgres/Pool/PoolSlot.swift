/// Names one connection of one pool, for as long as its slot holds it. A later one in the same slot differs.
package struct ConnectionID: Hashable, Sendable, CustomStringConvertible {
    let slot: Int32
    let serial: UInt32

    package var description: String { "#\(slot).\(serial)" }
}

/// Names one waiting borrower of one pool.
package struct WaiterID: Hashable, Sendable {
    let number: UInt64
}

/// One of the pool's `max` places, and what its connection is doing.
struct PoolSlot {
    /// Everything but `free` counts against `max`.
    enum Phase: Int, CaseIterable {
        /// No connection. Goes to `connecting`.
        case free
        /// A connect is under way. Goes to `idle`, `offered`, `closing`, or `free` when it failed.
        case connecting
        /// On the stack of idle ones. Goes to `leased`, `offered`, `checking` or `closing`.
        case idle
        /// A waiter has been told and has not answered yet. Goes to `leased`, `idle`, another waiter or `closing`.
        case offered
        /// Held by a borrower. Goes to `idle`, `offered`, `checking`, `resetting` or `closing`.
        case leased
        /// Being cleaned in the background. Goes to `idle`, `offered` or `closing`.
        case resetting
        /// Being pinged in the background. Goes to `idle`, `offered` or `closing`.
        case checking
        /// Being closed in the background. Goes to `free`.
        case closing
    }

    var phase = Phase.free
    var serial: UInt32 = 0
    /// Raised suspicion: a connection older than the pool's generation is pinged before it is used again.
    var generation: UInt32 = 0
    /// To be closed when it comes back, and why.
    var retirement: CloseReason?
    var isLeakReported = false
    /// When the phase began.
    var since = MonotonicTime(nanoseconds: 0)
    var expires = MonotonicTime.distantFuture
    var borrower = BorrowerID.anonymous
    var waiter = WaiterID(number: 0)
    var site: BorrowSite?
}

/// Why a connection ended.
package enum CloseReason: String, Sendable, CaseIterable {
    /// The liveness check at checkout, or a ping, found it dead.
    case foundDead = "found dead"
    /// Returned after the server or the network had broken it.
    case broken
    /// Returned with the wish to discard it.
    case discarded
    /// Cleaning it up failed or took too long.
    case resetFailed = "reset failed"
    case maxLifetime = "max lifetime"
    case idleTimeout = "idle timeout"
    /// More connections than the pool's new size.
    case resized
    case drained
    /// The server's role is no longer the one asked for.
    case roleChanged = "role changed"
    case poolClosed = "pool closed"
}
