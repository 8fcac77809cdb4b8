extension PoolStateMachine {
    package var isClosed: Bool { lifecycle == .closed }

    /// The waiter has been neither served nor refused yet.
    func knows(_ waiter: WaiterID) -> Bool { waiters[waiter] != nil }

    func hasLeases(of borrower: BorrowerID) -> Bool {
        borrower != .anonymous && slots.contains { $0.phase == .leased && $0.borrower == borrower }
    }

    /// A lease was given back because nobody held it any more.
    package mutating func leaseForgotten() {
        counters.forgotten += 1
    }

    package var statistics: PoolStatistics {
        PoolStatistics(
            max: limits.max, min: limits.min, idle: count(.idle), inUse: count(.leased) + count(.offered),
            connecting: count(.connecting), maintenance: count(.resetting) + count(.checking),
            closing: count(.closing), waiting: waiting, isClosed: lifecycle != .open,
            lastFailure: outage?.failure, counters: counters, wait: waitTimes, use: useTimes, connect: connectTimes)
    }
}
