import Glibc

/// What a wait for a socket is for.
package enum SocketEvent: Sendable {
    case readable
    case writable
    case readableOrWritable

    var pollEvents: Int16 {
        switch self {
        case .readable: Int16(POLLIN)
        case .writable: Int16(POLLOUT)
        case .readableOrWritable: Int16(POLLIN) | Int16(POLLOUT)
        }
    }
}

/// Why a wait ended without what it waited for.
package enum WaitError: Error, Sendable, Equatable {
    case timedOut
    /// The task that waited was cancelled.
    case cancelled
    /// The event loop was stopped.
    case stopped
}

typealias WaitOutcome = Result<Void, WaitError>
typealias WaitContinuation = UnsafeContinuation<WaitOutcome, Never>
