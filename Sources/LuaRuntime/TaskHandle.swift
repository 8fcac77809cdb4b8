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
                "wait": { [unowned scheduler] stack throws(ScriptError) in
                    let task = try stack.receiver(type, "task:wait").task
                    return try scheduler.waitForEnd(of: task, stack)
                },
                "cancel": { [unowned scheduler] stack throws(ScriptError) in
                    scheduler.kill(try stack.receiver(type, "task:cancel").task, .taskCancelled)
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
        task.isObserved = true
        guard !task.hasEnded else { return try task.pushOutcome(to: stack) }
        guard let seconds = stack.number(at: 2) else {
            return try park(stack) { wake in watch(task) { wake(.success(task.pushOutcome)) } }
        }
        return try park(stack, isExternal: true) { wake in
            watch(task) { wake(.success(task.pushOutcome)) }
            loop.schedule(at: .now + .seconds(seconds)) {
                wake(.failure(ScriptError(code: "RH1305", "task:wait: timed out after \(seconds) s")))
            }
        }
    }
}
