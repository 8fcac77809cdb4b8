/// Counts durations in buckets that grow by an eighth to a quarter: any quantile is right within 25 %.
///
/// Four buckets for each power of two of nanoseconds; recording is a handful of instructions.
package struct LatencyHistogram: Sendable, Equatable {
    private var buckets = [UInt64](repeating: 0, count: 64 * 4)
    package private(set) var count: UInt64 = 0
    /// Nanoseconds, all together.
    package private(set) var total: Int64 = 0
    /// Nanoseconds.
    package private(set) var longest: Int64 = 0

    package init() {}

    package mutating func record(_ nanoseconds: Int64) {
        let value = max(0, nanoseconds)
        buckets[Self.index(of: UInt64(value))] &+= 1
        count &+= 1
        total &+= value
        if value > longest { longest = value }
    }

    /// The upper end of the bucket that holds the quantile (0 ... 1), nil when nothing was recorded.
    package func quantile(_ quantile: Double) -> Duration? {
        guard count > 0 else { return nil }
        let rank = max(1, UInt64((Double(count) * quantile).rounded(.up)))
        var seen: UInt64 = 0
        for (index, number) in buckets.enumerated() where number > 0 {
            seen += number
            if seen >= rank { return .nanoseconds(min(Self.upperBound(of: index), longest)) }
        }
        return .nanoseconds(longest)
    }

    package var mean: Duration? {
        count == 0 ? nil : .nanoseconds(total / Int64(count))
    }

    /// Non-empty buckets, shortest first: upper bound and how many fell in.
    package var distribution: [(upTo: Duration, count: UInt64)] {
        buckets.enumerated().filter { $0.element > 0 }.map {
            (.nanoseconds(Self.upperBound(of: $0.offset)), $0.element)
        }
    }

    private static func index(of value: UInt64) -> Int {
        guard value >= 4 else { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount
        return exponent * 4 + Int((value >> UInt64(exponent - 2)) & 3)
    }

    private static func upperBound(of index: Int) -> Int64 {
        guard index >= 8 else { return Int64(index) }
        let (exponent, quarter) = (index / 4, index % 4)
        guard exponent < 62 else { return .max }
        return (Int64(4 + quarter + 1) << Int64(exponent - 2)) - 1
    }
}
