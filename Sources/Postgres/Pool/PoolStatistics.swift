/// What a pool has done since it was made.
package struct PoolCounters: Sendable, Equatable {
    /// Connections given to borrowers.
    package var acquired: UInt64 = 0
    /// Borrowers who had to wait, served or not.
    package var waited: UInt64 = 0
    package var timeouts: UInt64 = 0
    /// Borrowers cancelled while waiting.
    package var cancelled: UInt64 = 0
    /// Refused because the queue was full.
    package var refused: UInt64 = 0
    /// Refused, or woken with an error, because the server could not be reached.
    package var unavailable: UInt64 = 0
    package var deadlocks: UInt64 = 0
    package var connectsStarted: UInt64 = 0
    package var connectsFailed: UInt64 = 0
    package var created: UInt64 = 0
    /// Connections closed, by reason.
    package var destroyed: [CloseReason: UInt64] = [:]
    /// Found dead before a borrower could notice.
    package var deadFound: UInt64 = 0
    package var checks: UInt64 = 0
    package var resets: UInt64 = 0
    package var leaksReported: UInt64 = 0
    /// Given back by garbage collection or by the end of a task.
    package var forgotten: UInt64 = 0
}

/// One look at a pool.
package struct PoolStatistics: Sendable, Equatable {
    package var max: Int
    package var min: Int
    package var idle: Int
    /// Held by borrowers, or on the way to one.
    package var inUse: Int
    package var connecting: Int
    /// Being cleaned or pinged.
    package var maintenance: Int
    package var closing: Int
    package var waiting: Int
    package var isClosed: Bool
    package var lastFailure: ConnectFailure?
    package var counters: PoolCounters
    /// From asking to getting a connection, of those who had to wait and were served.
    package var wait: LatencyHistogram
    /// From getting a connection to giving it back.
    package var use: LatencyHistogram
    package var connect: LatencyHistogram

    /// Backends that may exist on the server.
    package var size: Int { idle + inUse + connecting + maintenance + closing }
}
