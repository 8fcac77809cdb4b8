/// What can go wrong between a borrower and the pool. Faults of the server reach borrowers as `ConnectFailure`s.
package enum PoolError: Error, Sendable, Equatable {
    /// Nothing became free in time.
    case timedOut(PoolTimeout)
    /// The queue is full; `limit` others are waiting.
    case tooManyWaiting(limit: Int, PoolTimeout)
    /// Nothing is alive and connecting has failed for `failingFor`; the pool goes on trying in the background.
    case unavailable(ConnectFailure, failingFor: Duration)
    /// Connecting cannot succeed with these settings: wrong password, unknown database, bad host name.
    case rejected(ConnectFailure)
    /// Everybody who holds a connection waits for another one here, this borrower last.
    case selfDeadlock(max: Int, holders: [PoolTimeout.Holder])
    /// The pool was closed before or while waiting.
    case closed
    /// The waiting task was cancelled.
    case cancelled
    /// The lease was given back before; both places are named.
    case alreadyReturned(borrowed: String, returned: String)
    case usedAfterReturn(borrowed: String, returned: String)
    /// The pool was closed and did not wait any longer for this lease.
    case leaseAborted(borrowed: String)
    /// Given back to a pool that it was not borrowed from.
    case foreignConnection(borrowed: String)
    /// The connection was an `on_connect` hook's, which has returned.
    case hookEnded
    case invalidOption(name: String, value: String, expected: String)
}

/// The state of a pool in which a borrower gave up.
package struct PoolTimeout: Sendable, Equatable {
    package struct Holder: Sendable, Equatable {
        /// Where the connection was borrowed.
        package var site: String
        package var age: Duration

        package init(site: String, age: Duration) {
            self.site = site
            self.age = age
        }
    }

    package var waited: Duration
    package var max: Int
    package var inUse: Int
    package var idle: Int
    /// Others still waiting.
    package var waiting: Int
    package var connecting: Int
    package var lastFailure: ConnectFailure?
    /// Who holds connections for longest, at most three.
    package var holders: [Holder]
}

extension PoolError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .timedOut(let facts):
            "no connection became free within \(facts.waited.shortSeconds): \(facts.summary)"
        case .tooManyWaiting(let limit, let facts):
            "\(limit) borrowers are waiting already, the most that max_waiting allows: \(facts.summary)"
        case .unavailable(let failure, let duration):
            "the server has been unreachable for \(duration.shortSeconds): \(failure.summary)"
        case .rejected(let failure):
            "cannot connect: \(failure.summary)"
        case .selfDeadlock(let max, let holders):
            "waiting for a connection that only waiting tasks could give back: max is \(max), "
                + "held by \(holders.listed)"
        case .closed:
            "pool is closed"
        case .cancelled:
            "waiting for a connection was cancelled"
        case .alreadyReturned(let borrowed, let returned):
            "connection borrowed at \(borrowed) was already returned at \(returned)"
        case .usedAfterReturn(let borrowed, let returned):
            "connection borrowed at \(borrowed) was returned at \(returned) and cannot be used any more"
        case .leaseAborted(let borrowed):
            "connection borrowed at \(borrowed) was taken away because the pool was closed"
        case .foreignConnection(let borrowed):
            "connection borrowed at \(borrowed) belongs to another pool"
        case .hookEnded:
            "the connection was on_connect's and is the pool's now"
        case .invalidOption(let name, let value, let expected):
            "invalid value for option \"\(name)\": expected \(expected), got \(value)"
        }
    }

    package var hint: String? {
        switch self {
        case .timedOut(let facts) where facts.inUse == 0 && facts.lastFailure == nil:
            "The server did not answer in time; look at the network, or raise \"timeout\"."
        case .timedOut(let facts) where facts.lastFailure != nil && facts.inUse < facts.max:
            "Connecting fails; the last error says why."
        case .timedOut, .tooManyWaiting:
            "Return connections sooner (local c <close> = pool:getconn()), or raise \"max\"."
        case .unavailable:
            "The pool keeps trying in the background and recovers by itself."
        case .selfDeadlock:
            "Use one connection for both, or return the first before asking for the second, or raise \"max\"."
        case .alreadyReturned, .usedAfterReturn:
            "Borrow again with getconn; a returned connection may already serve somebody else."
        case .foreignConnection:
            "Return it to the pool whose getconn gave it out."
        case .rejected(let failure):
            failure.hint
        case .hookEnded:
            "Borrow one with pool:getconn()."
        case .closed, .cancelled, .leaseAborted, .invalidOption:
            nil
        }
    }
}

extension PoolTimeout {
    /// `max 10, in use 10, idle 0, waiting 3, connecting 0; …` in one line.
    package var summary: String {
        var text = "max \(max), in use \(inUse), idle \(idle), waiting \(waiting), connecting \(connecting)"
        if !holders.isEmpty { text += "; held for longest by \(holders.listed)" }
        if let lastFailure { text += "; last connect error: \(lastFailure.summary)" }
        return text
    }
}

extension [PoolTimeout.Holder] {
    var listed: String {
        map { "\($0.site) (\($0.age.shortSeconds))" }.joined(separator: ", ")
    }
}
