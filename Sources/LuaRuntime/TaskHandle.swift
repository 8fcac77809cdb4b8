import EventLoops

/// What a script holds of a task: `task:wait()`, `task:cancel()`, `task.status`.
package final class TaskHandle {
    package static let type = ObjectType<TaskHandle>("task")

    package let task: LuaTask
    private weak var scheduler: LuaScheduler?

    private init(_ task: LuaTask, _ scheduler: LuaScheduler) {
        self.task = task
        self.scheduler = scheduler
        task.handle = self
    }

    deinit { scheduler?.reportUnseen(task) }

    /// Pushes the handle of `task`.
    package static func push(_ task: LuaTask, of scheduler: LuaScheduler, to stack: LuaStack) {
        stack.push(task.handle ?? TaskHandle(task, scheduler), type)
    }

    static func register(in stack: LuaStack, _ scheduler: LuaScheduler) {
        type.register(
            in: stack,
            methods: [
                "wait": { [weak scheduler] stack throws(ScriptError) in
                    let task = try stack.receiver(type, "task:wait").task
                    return try scheduler?.waitForEnd(of: task, stack) ?? 0
                },
                "cancel": { [weak scheduler] stack throws(ScriptError) in
                    scheduler?.kill(try stack.receiver(type, "task:cancel").task, .taskCancelled)
                    return 0
                },
            ],
            properties: [
                "status": { stack throws(ScriptError) in
                    stack.push(try stack.receiver(type, "task").task.status)
                    return 1
                }
            ])
    }
}

extension LuaScheduler {
    /// Waits until `task` has ended, then pushes its results or raises its error. A second argument is the number of
    /// seconds after which waiting is given up.
    fileprivate func waitForEnd(of task: LuaTask, _ stack: LuaStack) throws(ScriptError) -> Int32 {
        guard task !== current else {
            throw ScriptError(code: "RH1304", "task:wait: a task cannot wait for itself")
        }
        guard !task.hasEnded else { return try task.pushOutcome(to: stack) }
        let timeout = try timeout(stack)
        var watcher: Int?
        var timer: TimerID?
        let forget = { [self] in
            if let watcher { unwatch(task, watcher) }
            if let timer { loop.cancel(timer) }
        }
        return try park(stack, isExternal: timeout != nil, cancel: forget) { wake in
            watcher = watch(task) {
                if let timer { self.loop.cancel(timer) }
                wake(.success(task.pushOutcome))
            }
            guard let timeout else { return }
            timer = loop.schedule(at: .now + timeout) {
                forget()
                wake(.failure(ScriptError(code: "RH1305", "task:wait: timed out after \(timeout)")))
            }
        }
    }

    private func timeout(_ stack: LuaStack) throws(ScriptError) -> Duration? {
        guard !stack.isNil(at: 2) else { return nil }
        guard let seconds = stack.number(at: 2), seconds >= 0, seconds < 3.2e10 else {
            throw .argument(1, of: "task:wait", "seconds expected, got \(stack.describe(at: 2))")
        }
        return .seconds(seconds)
    }
}
