@testable import Postgres

/// Simulates tasks that all want a connection at the same time, each once.
struct PoolSpike {
    struct Result {
        var served = 0
        var connections = 0
        var took = Duration.zero
    }

    private enum Event {
        case connected(ConnectionID)
        case done(ConnectionID)
        case wake
    }

    let tasks: Int
    let connect: Duration
    let use: Duration
    let max: Int
    let min: Int

    func run() -> Result {
        var settings = PoolSettings()
        settings.max = max
        settings.min = min
        var machine = PoolStateMachine(settings)
        var now = MonotonicTime(nanoseconds: 0)
        var events: [(time: MonotonicTime, event: Event)] = []
        var result = Result()

        func perform(_ actions: [PoolAction]) {
            for action in actions {
                switch action {
                case .connect(let id): events.append((now + connect, .connected(id)))
                case .offer(let id, let waiter):
                    guard machine.offerAccepted(waiter, now: now) != nil else { continue }
                    events.append((now + use, .done(id)))
                case .wake(let time): events.append((time, .wake))
                default: break
                }
            }
        }
        for number in 0..<tasks {
            perform(
                machine.waiterArrived(
                    WaiterID(number: UInt64(number)), borrower: .anonymous, site: .unknown,
                    deadline: now + .seconds(30), now: now))
        }
        while result.served < tasks, let next = events.indices.min(by: { events[$0].time < events[$1].time }) {
            let (time, event) = events.remove(at: next)
            now = Swift.max(now, time)
            switch event {
            case .connected(let id): perform(machine.connectSucceeded(id, now: now, random: 0))
            case .done(let id):
                result.served += 1
                perform(machine.returnedClean(id, now: now))
            case .wake: perform(machine.timeReached(now))
            }
        }
        result.connections = machine.statistics.size
        result.took = .nanoseconds(now.nanoseconds)
        return result
    }
}
