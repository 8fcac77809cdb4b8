/// What a pool promises to keep to; every value is checked by `validated()`.
package struct PoolSettings: Sendable, Equatable {
    /// Most server backends at any time, those being connected and closed included.
    package var max = 10
    /// Connections kept open once the pool has been used.
    package var min = 0
    /// How long `getconn` waits; zero tries at once.
    package var timeout: Duration = .seconds(30)
    /// Most borrowers waiting at once; one more is refused immediately.
    package var maxWaiting = 10_000
    /// A connection idle for longer is pinged before it is handed out. Zero: always.
    package var checkIdle: Duration = .seconds(30)
    /// Age at which a connection is replaced, less up to 5 % at random. Zero: never.
    package var maxLifetime: Duration = .seconds(30 * 60)
    /// Idle connections above `min` are closed after this. Zero: never.
    package var idleTimeout: Duration = .seconds(10 * 60)
    /// A lease held for longer is reported once, with its borrower. Zero: never.
    package var leakAfter: Duration = .seconds(60)
    /// Nothing alive and connects failing for this long: borrowers fail at once instead of waiting.
    package var failFastAfter: Duration = .seconds(5)
    /// Deadline of one connect, whoever asked for it.
    package var connectTimeout: Duration = .seconds(10)
    /// Deadline of cleaning up a returned connection, and of a ping.
    package var resetTimeout: Duration = .seconds(5)
    /// How much of a session is undone before the next borrower gets it.
    package var reset = ResetLevel.clean

    package init() {}

    /// The settings themselves, or an error that names the first option out of its range.
    package func validated() throws(PoolError) -> PoolSettings {
        try check("max", "\(max)", max >= 1 && max <= 10_000, "an integer from 1 to 10000")
        try check("min", "\(min)", min >= 0 && min <= max, "an integer from 0 to max, which is \(max)")
        try check("max_waiting", "\(maxWaiting)", maxWaiting >= 0, "an integer of at least 0")
        for (name, value) in nonNegative {
            try check(name, value.shortSeconds, value >= .zero, "a duration of at least 0")
        }
        try check("connect_timeout", connectTimeout.shortSeconds, connectTimeout > .zero, "a duration above 0")
        try check("reset_timeout", resetTimeout.shortSeconds, resetTimeout > .zero, "a duration above 0")
        return self
    }

    private var nonNegative: [(String, Duration)] {
        [
            ("timeout", timeout), ("check_idle", checkIdle), ("max_lifetime", maxLifetime),
            ("idle_timeout", idleTimeout), ("leak_after", leakAfter), ("fail_fast_after", failFastAfter),
        ]
    }

    private func check(_ name: String, _ value: String, _ holds: Bool, _ expected: String) throws(PoolError) {
        guard holds else { throw .invalidOption(name: name, value: value, expected: expected) }
    }
}
