import EventLoops
import LuaRuntime
import Synchronization

/// The Lua states of a process, and what their threads have told of them last.
final class WorkerList: Sendable {
    /// Busy threads are not waited for any longer: what they have told before is shown.
    private static let patience: Duration = .milliseconds(100)
    private static let pause: Duration = .milliseconds(2)

    private let workers = Mutex<[WorkerFigures]>([])

    func add(_ worker: ScriptWorker) -> WorkerFigures {
        let figures = WorkerFigures(worker)
        workers.withLock { $0.append(figures) }
        return figures
    }

    func remove(_ figures: WorkerFigures) { workers.withLock { $0.removeAll { $0 === figures } } }

    /// As they are now, as far as they answer.
    func look() async -> [RunFigures.Worker] {
        let asked = workers.withLock { $0 }.map { (worker: $0, number: $0.ask()) }
        let end = ContinuousClock.now + Self.patience
        while asked.contains(where: { !$0.worker.hasAnswered($0.number) }), ContinuousClock.now < end {
            do { try await Task.sleep(for: Self.pause) } catch { break }
        }
        return asked.map { $0.worker.figures($0.number) }
    }
}

/// What one thread tells of its Lua state.
// Safe: `worker` is used on its loop's thread only.
final class WorkerFigures: @unchecked Sendable {
    private struct State {
        var asked = 0
        var answered = 0
        var tasks: [RunFigures.LuaTask] = []
        var luaBytes = 0
    }

    private let loop: EventLoop
    private weak var worker: ScriptWorker?
    private let state = Mutex(State())

    init(_ worker: ScriptWorker) {
        self.worker = worker
        loop = worker.loop
    }

    /// The number of the question.
    fileprivate func ask() -> Int {
        let number = state.withLock { state in
            state.asked += 1
            return state.asked
        }
        loop.post { [self] in answer(number) }
        return number
    }

    fileprivate func hasAnswered(_ number: Int) -> Bool { state.withLock { $0.answered >= number } }

    fileprivate func figures(_ number: Int) -> RunFigures.Worker {
        state.withLock { state in
            RunFigures.Worker(
                name: loop.name, isBusy: state.answered < number, luaBytes: state.luaBytes, tasks: state.tasks)
        }
    }

    private func answer(_ number: Int) {
        guard let worker, !worker.isEnding else { return }
        let tasks = worker.scheduler.overview.map { task in
            RunFigures.LuaTask(origin: task.origin, state: task.state, isTimer: task.isTimer, age: task.age)
        }
        state.withLock { state in
            state.answered = number
            state.tasks = tasks
            state.luaBytes = worker.state.memoryUsed
        }
    }
}
