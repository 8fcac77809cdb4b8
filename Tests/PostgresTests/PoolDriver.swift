import Testing

@testable import Postgres

/// Plays the pool's owner with a fake clock: remembers what the machine asked for; closing succeeds at once.
struct PoolDriver {
    var machine: PoolStateMachine
    var now = MonotonicTime(nanoseconds: 1_000_000_000)
    /// Everything asked for since the last `take()`, wake-ups and closings aside.
    private(set) var actions: [PoolAction] = []
    private(set) var closed: [ConnectionID] = []
    private(set) var armed = MonotonicTime.distantFuture
    /// Closing does not finish by itself.
    var holdsClosing = false
    private var lastWaiter: UInt64 = 0

    init(_ change: (inout PoolSettings) -> Void = { _ in }) {
        var settings = PoolSettings()
        change(&settings)
        machine = PoolStateMachine(settings)
    }

    var statistics: PoolStatistics { machine.statistics }

    mutating func take() -> [PoolAction] {
        defer { actions = [] }
        return actions
    }

    /// The first connect asked for since the last `take()`.
    mutating func takeConnect() throws -> ConnectionID {
        let id = take().firstConnect
        return try #require(id)
    }

    mutating func perform(_ wanted: [PoolAction]) {
        for action in wanted {
            switch action {
            case .wake(let time): armed = min(armed, time)
            case .close(let id):
                closed.append(id)
                if !holdsClosing { perform(machine.closed(id, now: now)) }
            default: actions.append(action)
            }
        }
    }

    /// Lets time pass, with every wake-up on the way.
    mutating func advance(_ duration: Duration) {
        let end = now + duration
        var wakes = 0
        while armed <= end, wakes < 100_000 {
            wakes += 1
            now = max(now, armed)
            armed = .distantFuture
            perform(machine.timeReached(now))
        }
        #expect(wakes < 100_000, "the machine wakes without end")
        now = end
    }

    // MARK: Borrowers

    @discardableResult
    mutating func wait(
        _ timeout: Duration = .seconds(30), borrower: UInt64 = 0, site: String = "shop.lua:1"
    ) -> WaiterID {
        lastWaiter += 1
        let id = WaiterID(number: lastWaiter)
        perform(
            machine.waiterArrived(
                id, borrower: BorrowerID(borrower), site: BorrowSite(site), deadline: now + timeout, now: now))
        return id
    }

    mutating func takeIdle(borrower: UInt64 = 0, site: String = "shop.lua:1") -> ConnectionID? {
        machine.takeIdle(borrower: BorrowerID(borrower), site: BorrowSite(site), now: now)
    }

    mutating func accept(_ waiter: WaiterID) -> ConnectionID? {
        machine.offerAccepted(waiter, now: now)?.connection
    }

    mutating func giveBack(_ id: ConnectionID) {
        perform(machine.returnedClean(id, now: now))
    }

    mutating func giveBack(_ id: ConnectionID, _ condition: ReturnCondition) {
        perform(machine.returned(id, condition, now: now))
    }

    mutating func cancel(_ waiter: WaiterID) {
        perform(machine.waiterCancelled(waiter, now: now))
    }

    // MARK: The server's side

    mutating func connectSucceeded(_ id: ConnectionID, random: Double = 0) {
        perform(machine.connectSucceeded(id, now: now, random: random))
    }

    mutating func connectFailed(_ id: ConnectionID, _ failure: ConnectFailure = refused) {
        perform(machine.connectFailed(id, failure, now: now, random: 0))
    }

    static let refused = ConnectFailure(message: "connection refused")
    static let wrongPassword = ConnectFailure(message: "password authentication failed", sqlstate: "28P01")

    /// Connects everything asked for until nothing more is.
    mutating func connectAll() {
        while let id = actions.firstConnect {
            actions.removeAll { $0 == .connect(id) }
            connectSucceeded(id)
        }
    }

    /// A pool with `count` leased connections, oldest first, one millisecond apart.
    mutating func leaseFresh(_ count: Int, borrower: UInt64 = 0) -> [ConnectionID] {
        (0..<count).compactMap { index in
            let waiter = wait(borrower: borrower, site: "shop.lua:\(index + 1)")
            if actions.firstConnect == nil { advance(.milliseconds(500)) }
            connectAll()
            actions = []
            defer { now = now + .milliseconds(1) }
            return accept(waiter)
        }
    }
}

extension [PoolAction] {
    var connects: [ConnectionID] {
        compactMap { action in
            guard case .connect(let id) = action else { return nil }
            return id
        }
    }

    var firstConnect: ConnectionID? { connects.first }

    var checks: [ConnectionID] {
        compactMap { action in
            guard case .check(let id) = action else { return nil }
            return id
        }
    }

    var failures: [PoolError] {
        compactMap { action in
            guard case .fail(_, let error) = action else { return nil }
            return error
        }
    }

    func offer(to waiter: WaiterID) -> ConnectionID? {
        for case .offer(let id, waiter) in self { return id }
        return nil
    }
}
