/// How long to wait after a failed connect: 100 ms × 1.25ⁿ, at most 10 s, and up to a fifth of it at random on top.
package enum ReconnectBackoff {
    static let first: Int64 = 100_000_000
    static let longest: Int64 = 10_000_000_000

    /// - Parameters:
    ///   - failures: consecutive failures so far, at least 1.
    ///   - random: 0 ..< 1, spreads the attempts of many processes.
    /// - Returns: nanoseconds.
    package static func delay(afterFailures failures: Int, random: Double) -> Int64 {
        var delay = Double(first)
        for _ in 1..<max(2, min(failures, 40)) where failures > 1 {
            delay *= 1.25
        }
        return Int64(min(delay, Double(longest)) * (1 + 0.2 * random))
    }
}
