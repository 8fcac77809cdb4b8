import Synchronization

/// Bounds rows and bytes per second over all workers, by telling each how long to wait.
package final class Throttle: Sendable {
    /// A bound that was not used up for a moment may be made up for.
    private static let burst: Duration = .milliseconds(250)

    private struct Bucket {
        let perSecond: Double
        /// When everything that was taken is paid for.
        var paid: ContinuousClock.Instant

        mutating func take(_ amount: Int, now: ContinuousClock.Instant) -> Duration? {
            paid = max(paid, now - Throttle.burst) + .seconds(Double(amount) / perSecond)
            return paid > now ? paid - now : nil
        }
    }

    private struct State {
        var rows: Bucket?
        var bytes: Bucket?
    }

    private let state: Mutex<State>

    package init(_ options: ThrottleOptions, now: ContinuousClock.Instant = .now) {
        state = Mutex(
            State(
                rows: options.rowsPerSecond.map { Bucket(perSecond: $0, paid: now) },
                bytes: options.bytesPerSecond.map { Bucket(perSecond: $0, paid: now) }))
    }

    /// Counts what was taken; how long to wait before more, nil if not at all.
    package func take(rows: Int, bytes: Int, now: ContinuousClock.Instant = .now) -> Duration? {
        state.withLock { state in
            let waits = [state.rows?.take(rows, now: now), state.bytes?.take(bytes, now: now)]
            return waits.compactMap(\.self).max()
        }
    }
}
