/// The numbers of `PoolSettings` that the state machine works with; times in nanoseconds, "never" as `Int64.max`.
struct PoolLimits: Sendable {
    var max: Int
    var min: Int
    var maxWaiting: Int
    var checkIdle: Int64
    var maxLifetime: Int64
    var idleTimeout: Int64
    var leakAfter: Int64
    var failFastAfter: Int64

    init(_ settings: PoolSettings) {
        max = settings.max
        min = settings.min
        maxWaiting = settings.maxWaiting
        checkIdle = settings.checkIdle.wholeNanoseconds
        maxLifetime = settings.maxLifetime.nanosecondsOrNever
        idleTimeout = settings.idleTimeout.nanosecondsOrNever
        leakAfter = settings.leakAfter.nanosecondsOrNever
        failFastAfter = settings.failFastAfter.wholeNanoseconds
    }

    /// No lease and no idle connection needs attention sooner than this after it began.
    var housekeepingInterval: Int64 { Swift.min(idleTimeout, leakAfter) }
}

extension Duration {
    fileprivate var nanosecondsOrNever: Int64 {
        self == .zero ? .max : wholeNanoseconds
    }
}
