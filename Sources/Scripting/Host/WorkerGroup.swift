import EventLoops
import LuaRuntime
import Synchronization

/// `rh.workers(n, "module.function", items)`: the items of a list, spread over Lua states on threads of their own.
final class WorkerGroup: Sendable {
    private struct State {
        var next = 0
        var results: [LuaValue]
        var failure: LuaFailure?
    }

    /// Each worker runs this: it asks for items until there are none.
    private static let driver = """
        local module, name, take, give = ...
        local loaded = require(module)
        local work = type(loaded) == "table" and loaded[name]
        if type(work) ~= "function" then
          error(("rh.workers: module %q has no function %q"):format(module, name), 0)
        end
        while true do
          local position, item = take()
          if not position then return end
          give(position, work(item, position))
        end
        """

    private let items: [LuaValue]
    private let function: (module: String, name: String)
    private let state: Mutex<State>

    private init(_ items: [LuaValue], _ function: (module: String, name: String)) {
        self.items = items
        self.function = function
        state = Mutex(State(results: Array(repeating: .nil, count: items.count)))
    }

    /// Arguments: how many workers, "module.function", the list. Waits, and pushes the list of results.
    static func run(_ stack: LuaStack, _ worker: ScriptWorker) throws(ScriptError) -> Int32 {
        guard let count = stack.integer(at: 1), count >= 1, count <= 64 else {
            throw .argument(
                1, of: "rh.workers", "an integer from 1 to 64 expected, got \(DisplayText.short(of: 1, stack))")
        }
        let path = try stack.requireString(2, "rh.workers", "\"module.function\"")
        guard let dot = path.lastIndex(of: "."), dot > path.startIndex else {
            throw .argument(2, of: "rh.workers", "\"module.function\" expected, got \"\(path)\"")
        }
        try stack.requireTable(3, "rh.workers")
        var items: [LuaValue] = []
        for position in 0..<stack.rawCount(at: 3) {
            stack.pushElement(position + 1, of: 3)
            items.append(try LuaValue(at: stack.count, of: stack))
            stack.pop()
        }
        let group = WorkerGroup(items, (String(path[..<dot]), String(path[path.index(after: dot)...])))
        let size = min(Int(count), max(items.count, 1))
        let (options, luaOptions) = (worker.options, worker.state.options)
        return try worker.scheduler.wait(stack) { () async throws(ScriptError) in
            if let failure = await group.run(size, options, luaOptions) {
                var error = failure.error
                error.fields["position"] = failure.position.map { .string($0) }
                throw error
            }
            let results = group.state.withLock { $0.results }
            return { stack throws(ScriptError) in
                stack.pushTable(arrayCount: results.count)
                for (position, result) in results.enumerated() {
                    try result.push(to: stack)
                    stack.setElement(position + 1, of: -2)
                }
                return 1
            }
        }
    }

    private func run(_ size: Int, _ options: ScriptOptions, _ luaOptions: LuaOptions) async -> LuaFailure? {
        await withTaskGroup(of: Void.self) { group in
            for number in 1...size {
                group.addTask { [self] in await runWorker("worker \(number)", options, luaOptions) }
            }
        }
        return state.withLock { $0.failure }
    }

    private func runWorker(_ name: String, _ options: ScriptOptions, _ luaOptions: LuaOptions) async {
        let loop = EventLoop(name: name)
        let failure = await LoopActor(loop).run { [self] actor in
            do throws(ScriptError) {
                let worker = try ScriptWorker(options, luaOptions, on: actor)
                defer { worker.close() }
                return try await drive(worker)
            } catch {
                return LuaFailure(error: error)
            }
        }
        loop.stop()
        guard let failure else { return }
        state.withLock { state in
            state.failure = state.failure ?? failure
            state.next = items.count
        }
    }

    private func drive(_ worker: ScriptWorker) async throws(ScriptError) -> LuaFailure? {
        let stack = worker.state.stack
        try worker.state.load(Self.driver, named: "=rh.workers")
        stack.push(function.module)
        stack.push(function.name)
        stack.push(function: { [self] stack throws(ScriptError) in
            guard let position = take() else { return 0 }
            stack.push(Int64(position + 1))
            try items[position].push(to: stack)
            return 2
        })
        stack.push(function: { [self] stack throws(ScriptError) in
            guard let position = stack.integer(at: 1) else { return 0 }
            let value = try LuaValue(at: 2, of: stack)
            state.withLock { $0.results[Int(position) - 1] = value }
            return 0
        })
        let task = worker.scheduler.spawn(stack, arguments: 4, origin: nil)
        let scheduler = worker.scheduler
        var failures: [LuaFailure] = []
        scheduler.onUnobservedFailure = { failure in
            failures.append(failure)
            scheduler.killAll(.taskCancelled)
        }
        scheduler.watch(task) {
            if task.failure != nil { scheduler.killAll(.taskCancelled) }
        }
        // Safe: used on the loop that the worker lives on, where this runs and where the cancellation is posted to.
        nonisolated(unsafe) let worker = worker
        await withTaskCancellationHandler {
            await worker.scheduler.untilIdle()
        } onCancel: {
            worker.loop.post { worker.scheduler.killAll(.taskCancelled) }
        }
        failures += scheduler.takeUnseenFailures()
        scheduler.onUnobservedFailure = { _ in }
        if let failure = task.failure, failure.interrupt != .taskCancelled { return failure }
        return failures.first ?? task.failure
    }

    private func take() -> Int? {
        state.withLock { state in
            guard state.next < items.count else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }
}
