/// Judges how many connects are worth starting: "rent or buy".
///
/// A new connection is of use only to waiters whom the connections at hand do not serve sooner. So each lease is
/// credited with the borrowers that its connection will serve in twice the time of a connect: that time ÷ use time.
/// The use time is the running average or, when longer, the age of the lease; before the first return it is the age
/// of the oldest. When no lease is younger than half a connect, nothing is coming back: then the credit of all
/// together is what one return in that time amounts to, and a lone waiter waits for no longer than a connect takes.
///
/// Of the waiters left over, as many get a connect as are needed to clear the rest within another connect time.
/// While nothing at all is connected, a first few are started. No more are under way at once than are alive
/// already (at least `burst`), so a pool grows by doubling.
///
/// HikariCP's spike (50 tasks at once, connect 150 ms, query 2 ms): five connections are expected to serve
/// 5 × 300 ÷ 2 borrowers before a sixth could pay, so no sixth is made. The same spike with queries of 1 s starts
/// connecting within 75 ms.
package struct ConnectDemand: Sendable {
    /// Connects started at once while nothing is known.
    static let burst = 4
    /// Nanoseconds assumed of a use that nothing is known about.
    private static let shortestUse: Int64 = 1_000_000

    /// Running averages in nanoseconds; nil until one was seen.
    private(set) var averageUse: Int64?
    private(set) var averageConnect: Int64?

    mutating func noteUse(_ nanoseconds: Int64) {
        guard let average = averageUse else { return averageUse = nanoseconds }
        averageUse = average + (nanoseconds - average) / 8
    }

    mutating func noteConnect(_ nanoseconds: Int64) {
        guard let average = averageConnect else { return averageConnect = nanoseconds }
        averageConnect = average + (nanoseconds - average) / 4
    }

    /// What a connect is expected to take, in nanoseconds.
    var connectTime: Int64 { Swift.max(averageConnect ?? 20_000_000, 100_000) }

    /// When to look again while somebody waits, in nanoseconds from now.
    var reviewInterval: Int64 { Swift.min(Swift.max(connectTime / 4, 2_000_000), 50_000_000) }

    /// The connections at hand.
    struct Supply {
        /// Nanoseconds since each lease, or the offer of one, began.
        var leaseAges: [Int64] = []
        /// The same of those being cleaned or pinged.
        var maintenanceAges: [Int64] = []
        var connecting = 0

        var live: Int { leaseAges.count + maintenanceAges.count }
    }

    /// How many more connects to start for `waiting` borrowers.
    func connectsWorthStarting(waiting: Int, supply: Supply) -> Int {
        guard waiting > 0 else { return 0 }
        let allowed = Swift.max(Self.burst, supply.live) - supply.connecting
        guard allowed > 0 else { return 0 }
        guard supply.live > 0 else { return Swift.max(0, Swift.min(allowed, waiting - supply.connecting)) }
        let served = servedByLeases(supply.leaseAges)
        let servedByNew = Swift.max(1, served / 2 / Double(Swift.max(1, supply.leaseAges.count)))
        let maintained = supply.maintenanceAges.count { $0 < connectTime }
        let left = Double(waiting - maintained) - served - Double(supply.connecting) * servedByNew
        guard left > 0 else { return 0 }
        return Swift.min(allowed, Int((left / servedByNew).rounded(.up)))
    }

    /// Borrowers whom the leased connections are expected to serve before a new one would have paid.
    private func servedByLeases(_ ages: [Int64]) -> Double {
        guard let youngest = ages.min(), let oldest = ages.max() else { return 0 }
        let usual = Swift.max(averageUse ?? Swift.max(oldest, Self.shortestUse), 1_000)
        let served = ages.reduce(0.0) { $0 + Double(2 * connectTime) / Double(Swift.max(usual, $1)) }
        guard youngest > connectTime / 2 else { return served }
        return Swift.min(served, Double(connectTime) / Double(youngest))
    }
}
