/// Judges how many connects are worth starting: "rent or buy".
///
/// A new connection is of use only to waiters whom the connections at hand do not serve sooner. So each one at
/// hand is credited with the borrowers it will serve while a connect takes: connect time ÷ use time, where the
/// use time is the running average or, when longer, the age of its present lease. That lower bound makes the
/// rule notice slow queries by itself: the longer nothing comes back, the less is expected of what is out.
///
/// Of the waiters left over, as many get a connect as are needed to clear the rest within another connect time.
/// While nothing at all is connected, a first few are started. No more are under way at once than are alive
/// already (at least `burst`), so a pool grows by doubling.
///
/// HikariCP's spike (50 tasks at once, connect 150 ms, query 2 ms): five connections are expected to serve
/// 5 × 150 ÷ 2 borrowers before a sixth could help, so no sixth is made. The same spike with queries of 1 s starts
/// connecting within 20 ms.
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

    /// The connections at hand, added up by whoever knows them.
    struct Supply {
        /// Connections at hand.
        var live = 0
        var connecting = 0
        /// Borrowers that the live ones are expected to serve within one connect time.
        var served = 0.0
    }

    /// Adds a leased connection whose lease is `age` nanoseconds old.
    func addLease(age: Int64, to supply: inout Supply) {
        let use = Swift.max(averageUse ?? Self.shortestUse, age, 1_000)
        supply.live += 1
        supply.served += Double(connectTime) / Double(use)
    }

    /// Adds a connection that is being cleaned or pinged; when that drags on, nothing is expected of it.
    func addMaintained(age: Int64, to supply: inout Supply) {
        supply.live += 1
        supply.served += age < connectTime ? 1 : 0
    }

    /// How many more connects to start for `waiting` borrowers.
    func connectsWorthStarting(waiting: Int, supply: Supply) -> Int {
        guard waiting > 0 else { return 0 }
        let allowed = Swift.max(Self.burst, supply.live) - supply.connecting
        guard allowed > 0 else { return 0 }
        guard supply.live > 0 else { return Swift.min(allowed, waiting - supply.connecting) }
        let servedByEach = Swift.max(1, supply.served / Double(supply.live))
        let left = Double(waiting) - supply.served - Double(supply.connecting) * servedByEach
        guard left > 0 else { return 0 }
        return Swift.min(allowed, Int((left / servedByEach).rounded(.up)))
    }
}
