import Glibc

/// A point on the machine's monotonic clock, in whole nanoseconds.
///
/// The pool reads the clock twice for each borrow and return, so its times are one machine word and its
/// arithmetic is one instruction; `ContinuousClock.Instant` costs a 128-bit division to put in a histogram.
package struct MonotonicTime: Comparable, Hashable, Sendable {
    /// Nanoseconds since an arbitrary start, the same for the whole process.
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Later than every real time.
    package static let distantFuture = MonotonicTime(nanoseconds: .max)

    package static var now: MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }

    @inlinable
    package static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The time that many nanoseconds later; stays at `distantFuture` instead of wrapping around.
    package func advanced(by nanoseconds: Int64) -> MonotonicTime {
        let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
        return overflow ? .distantFuture : MonotonicTime(nanoseconds: sum)
    }

    /// Nanoseconds since `earlier`; negative when it is later.
    package func nanoseconds(since earlier: MonotonicTime) -> Int64 {
        nanoseconds &- earlier.nanoseconds
    }

    package static func + (time: MonotonicTime, duration: Duration) -> MonotonicTime {
        time.advanced(by: duration.wholeNanoseconds)
    }

    /// The same point on the clock that the event loops' timers use.
    package var instant: ContinuousClock.Instant {
        self == .distantFuture
            ? .now.advanced(by: .seconds(86_400 * 365))
            : .now.advanced(by: .nanoseconds(nanoseconds(since: .now)))
    }
}

extension Duration {
    /// Whole nanoseconds, clamped to what 64 bits hold (292 years).
    package var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let (sum, carried) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carried ? .max : sum
    }

    /// Seconds with at most one decimal place, as error messages show them: `"0.4 s"`, `"30 s"`.
    var shortSeconds: String {
        let tenths = (wholeNanoseconds.magnitude + 50_000_000) / 100_000_000
        let sign = wholeNanoseconds < 0 ? "-" : ""
        return tenths % 10 == 0 ? "\(sign)\(tenths / 10) s" : "\(sign)\(tenths / 10).\(tenths % 10) s"
    }
}
