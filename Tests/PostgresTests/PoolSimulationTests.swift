import TestSupport
import Testing

@testable import Postgres

/// Random events against a model of server and borrowers; after each one nothing may be lost.
struct PoolSimulationTests {
    @Test(arguments: 0..<40)
    func nothingIsEverLost(round: Int) {
        let seed = UInt64.random(in: .min ... .max)
        var simulation = PoolSimulation(seed: seed)
        simulation.run(steps: 1500)

        #expect(simulation.complaints == [], "seed \(seed)")
    }
}

struct PoolSimulation {
    private var random: SeededGenerator
    private var machine: PoolStateMachine
    private var now = MonotonicTime(nanoseconds: 0)
    private var armed = MonotonicTime.distantFuture
    private var max: Int
    private(set) var complaints: [String] = []
    private var lastWaiter: UInt64 = 0
    // What the outside world believes.
    private var connecting: Set<ConnectionID> = []
    private var closing: Set<ConnectionID> = []
    private var checking: Set<ConnectionID> = []
    private var resetting: Set<ConnectionID> = []
    private var leased: Set<ConnectionID> = []
    private var open: Set<ConnectionID> = []
    private var offered: [WaiterID: ConnectionID] = [:]
    private var waiting: [WaiterID: MonotonicTime] = [:]
    private var isFinished = false

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        var settings = PoolSettings()
        settings.max = Int.random(in: 1...6, using: &random)
        settings.min = Int.random(in: 0...settings.max, using: &random)
        settings.maxWaiting = 12
        settings.maxLifetime = .seconds(20)
        settings.idleTimeout = .seconds(8)
        settings.checkIdle = .seconds(2)
        settings.leakAfter = .seconds(5)
        settings.failFastAfter = .seconds(3)
        max = settings.max
        machine = PoolStateMachine(settings)
    }

    mutating func run(steps: Int) {
        for _ in 0..<steps where complaints.isEmpty {
            step()
            verify()
        }
        finish()
    }

    private mutating func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<25: borrow()
        case 25..<30: cancelSomebody()
        case 30..<45: answerOffer()
        case 45..<62: giveBack()
        case 62..<74: endConnect()
        case 74..<80: endClosing()
        case 80..<84: endCheck()
        case 84..<88: endReset()
        case 88: perform(machine.serverLossReported(now: now))
        case 89: perform(machine.drained(now: now))
        case 90: resize()
        default: pass(.milliseconds(Int.random(in: 1...900, using: &random)))
        }
    }

    private mutating func borrow() {
        if let id = machine.takeIdle(borrower: .anonymous, site: .unknown, now: now) {
            claim(id)
            if chance(10) {
                leased.remove(id)
                perform(machine.takenFoundDead(id, now: now))
            }
            return
        }
        lastWaiter += 1
        let id = WaiterID(number: lastWaiter)
        let deadline = now + .milliseconds(chance(10) ? 0 : Int.random(in: 1...4000, using: &random))
        waiting[id] = deadline
        let borrower = BorrowerID(UInt64.random(in: 0...4, using: &random))
        perform(machine.waiterArrived(id, borrower: borrower, site: .unknown, deadline: deadline, now: now))
    }

    private mutating func cancelSomebody() {
        guard let id = waiting.keys.sorted(by: { $0.number < $1.number }).randomElement(using: &random) else { return }
        waiting[id] = nil
        offered[id] = nil
        perform(machine.waiterCancelled(id, now: now))
    }

    private mutating func answerOffer() {
        guard let (id, connection) = pick(offered) else { return }
        guard let accepted = machine.offerAccepted(id, now: now) else {
            return complain("offer of \(connection) to \(id) was withdrawn without a word")
        }
        offered[id] = nil
        waiting[id] = nil
        claim(connection)
        if chance(10) {
            leased.remove(connection)
            waiting[id] = .distantFuture
            perform(machine.acceptedFoundDead(accepted, now: now))
        }
    }

    private mutating func giveBack() {
        guard let id = pick(leased) else { return }
        leased.remove(id)
        switch Int.random(in: 0..<10, using: &random) {
        case 0: perform(machine.returned(id, .broken, now: now))
        case 1: perform(machine.returned(id, .discarded, now: now))
        case 2, 3: perform(machine.returned(id, .dirty, now: now))
        default: perform(machine.returnedClean(id, now: now))
        }
        perform(machine.returnedClean(id, now: now))
    }

    private mutating func endConnect() {
        guard let id = pick(connecting) else { return }
        connecting.remove(id)
        guard chance(70) else {
            let failure = chance(10) ? PoolDriver.wrongPassword : PoolDriver.refused
            return perform(machine.connectFailed(id, failure, now: now, random: 0.5))
        }
        open.insert(id)
        perform(machine.connectSucceeded(id, now: now, random: 0.5))
    }

    private mutating func endClosing() {
        guard let id = pick(closing) else { return }
        closing.remove(id)
        open.remove(id)
        perform(machine.closed(id, now: now))
    }

    private mutating func endCheck() {
        guard let id = pick(checking) else { return }
        checking.remove(id)
        perform(chance(70) ? machine.checkSucceeded(id, now: now) : machine.checkFailed(id, now: now))
    }

    private mutating func endReset() {
        guard let id = pick(resetting) else { return }
        resetting.remove(id)
        perform(chance(70) ? machine.resetSucceeded(id, now: now) : machine.resetFailed(id, now: now))
    }

    private mutating func resize() {
        let size = Int.random(in: 1...6, using: &random)
        max = Swift.max(size, open.count + connecting.count)
        perform(machine.resized(max: size, min: Int.random(in: 0...size, using: &random), now: now))
    }

    private mutating func pass(_ duration: Duration) {
        let end = now + duration
        while armed <= end {
            now = Swift.max(now, armed)
            armed = .distantFuture
            perform(machine.timeReached(now))
        }
        now = end
    }

    private mutating func perform(_ actions: [PoolAction]) {
        for action in actions {
            switch action {
            case .connect(let id): connecting.insert(id)
            case .close(let id):
                if closing.contains(id) { complain("\(id) is closed twice") }
                if leased.contains(id) { complain("\(id) is closed under its borrower") }
                closing.insert(id)
            case .check(let id): checking.insert(id)
            case .reset(let id): resetting.insert(id)
            case .offer(let id, let waiter):
                if waiting[waiter] == nil { complain("\(id) is offered to \(waiter), who is gone") }
                offered[waiter] = id
            case .fail(let waiter, _):
                if waiting.removeValue(forKey: waiter) == nil { complain("\(waiter) is failed twice") }
                offered[waiter] = nil
            case .wake(let time): armed = Swift.min(armed, time)
            case .finishClosing: isFinished = true
            case .cancelConnect, .reportLeak, .reportFailure, .abort: break
            }
        }
    }

    private mutating func claim(_ id: ConnectionID) {
        if !open.contains(id) { complain("\(id) is handed out, but not open") }
        if !leased.insert(id).inserted { complain("\(id) is handed out twice") }
        if closing.contains(id) || checking.contains(id) || resetting.contains(id) {
            complain("\(id) is handed out while it is being worked on")
        }
    }

    private mutating func verify() {
        let statistics = machine.statistics
        let backends = open.count + connecting.count
        max = Swift.max(statistics.max, Swift.min(max, backends))
        if backends > max { complain("\(backends) backends, max \(max)") }
        if statistics.size != backends { complain("\(statistics.size) slots in use, \(backends) backends") }
        if statistics.waiting != waiting.count - offered.count { complain("waiters are lost") }
        if statistics.idle > 0, statistics.waiting > 0, checking.isEmpty { complain("idle ones beside waiters") }
        for (id, deadline) in waiting where deadline < now && deadline != .distantFuture {
            complain("\(id) is still waiting after its deadline")
        }
    }

    /// Closes the pool; in the end nothing may be left.
    private mutating func finish() {
        guard complaints.isEmpty else { return }
        perform(machine.closeRequested(deadline: now + .seconds(1), now: now))
        if !waiting.isEmpty { complain("waiters are not woken by closing") }
        for _ in 0..<200 {
            giveBack()
            endConnect()
            endCheck()
            endReset()
            endClosing()
        }
        pass(.seconds(2))
        if !isFinished { complain("closing does not finish") }
        if machine.statistics.size != 0 { complain("\(machine.statistics.size) slots left after closing") }
    }

    private mutating func complain(_ text: String) {
        complaints.append(text)
    }

    private mutating func chance(_ percent: Int) -> Bool {
        Int.random(in: 0..<100, using: &random) < percent
    }

    private mutating func pick(_ ids: Set<ConnectionID>) -> ConnectionID? {
        ids.sorted { ($0.slot, $0.serial) < ($1.slot, $1.serial) }.randomElement(using: &random)
    }

    private mutating func pick(_ offers: [WaiterID: ConnectionID]) -> (WaiterID, ConnectionID)? {
        offers.sorted { $0.key.number < $1.key.number }.map { ($0.key, $0.value) }.randomElement(using: &random)
    }
}
