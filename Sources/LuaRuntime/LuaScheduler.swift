import CLua
import CLuaShim
import DequeModule
package import EventLoops

/// Runs the tasks of one Lua state on an event loop: each until it waits or ends, in the order they became ready.
///
/// Lives on the loop's thread. A host function that waits answers `try scheduler.wait(stack) { … }`: the coroutine
/// is suspended, with every coroutine that resumed it, until the operation is done.
package final class LuaScheduler {
    package let state: LuaState
    package let actor: LoopActor
    package var loop: EventLoop { actor.loop }

    /// The task whose code runs now.
    package private(set) var current: LuaTask?
    private var ready: Deque<LuaTask> = []
    private var tasks: [ObjectIdentifier: LuaTask] = [:]
    private var isPumpScheduled = false
    /// Waits that the outside world will end; when none is left and nobody is ready, nothing can ever happen.
    private var externalWaits = 0
    private var onIdle: [() -> Void] = []
    /// Of `untilOnlyTimers`.
    private var onRest: [() -> Void] = []
    private var runningTimers = 0
    /// How many timers there have been.
    package private(set) var timers = 0
    /// A timer's failure is reported at once, though the script could still ask for it.
    package var reportsTimers = false
    private var unseen: [LuaTask] = []
    private var turn = Turn()
    private var lastWatcher = 0
    /// Tasks that wait for a module that another one loads.
    private var awaitingModules: [String: [(Result<Delivery, ScriptError>) -> Void]] = [:]
    /// Told of a task that failed with nobody to see it.
    package var onUnobservedFailure: (LuaFailure) -> Void = { _ in }

    /// Told of each task that has ended, whatever way.
    package var onEnd: (LuaTask) -> Void = { _ in }

    package init(state: LuaState, on actor: LoopActor) {
        self.state = state
        self.actor = actor
        state.scheduler = self
        TaskHandle.register(in: state.stack, self)
        registerModuleWaiting()
    }

    // MARK: Tasks

    /// Makes a task of the function and its `arguments` on top of `stack`, which are popped. It runs soon.
    package func spawn(_ stack: LuaStack, arguments: Int32, origin: String?) -> LuaTask {
        let thread: LuaThread = rh_new_task(stack.thread)
        let reference = stack.makeReference()
        lua_checkstack(thread, arguments + 1)
        lua_xmove(stack.thread, thread, arguments + 1)
        let task = LuaTask(
            thread: thread, reference: reference, state: state, origin: origin, arguments: arguments)
        tasks[ObjectIdentifier(task)] = task
        enqueue(task)
        return task
    }

    /// Makes `task` one that only waits for its time, and that nobody waits for.
    package func markTimer(_ task: LuaTask) {
        guard !task.hasEnded, task.timer == nil else { return }
        timers += 1
        runningTimers += 1
        task.timer = timers
    }

    /// Stops the timers that were begun after the first `count` ones.
    package func endTimers(after count: Int = 0) {
        for task in tasks.values where task.timer ?? 0 > count { kill(task, .taskCancelled) }
    }

    /// Stops a task: its wait is ended, then it is made to raise. One that has ended stays as it is.
    package func kill(_ task: LuaTask, _ interrupt: Interrupt) { kill(task, interrupt.kind) }

    private func kill(_ task: LuaTask, _ kind: rh_interrupt) {
        guard task.kill == RH_NOT_INTERRUPTED, !task.hasEnded else { return }
        task.kill = kind
        switch task.phase {
        case .running: rh_kill_running(state.raw, task.kill)
        case .waiting: task.endWait?(.taskCancelled)
        case .ready, .finished, .failed: break
        }
    }

    package func killAll(_ interrupt: Interrupt) { killAll(interrupt.kind) }

    private func killAll(_ kind: rh_interrupt) {
        for task in tasks.values { kill(task, kind) }
    }

    /// The tasks that have not ended, oldest first.
    package var overview: [LuaTask.Overview] { tasks.values.map(\.overview).sorted { $0.age > $1.age } }

    /// Returns when no task is left.
    package func untilIdle() async {
        guard !tasks.isEmpty else { return }
        await withUnsafeContinuation { continuation in onIdle.append { continuation.resume() } }
    }

    /// Returns when no task is left but timers.
    package func untilOnlyTimers() async {
        guard tasks.count > runningTimers else { return }
        await withUnsafeContinuation { continuation in onRest.append { continuation.resume() } }
    }

    /// Failures of tasks that nobody has waited for; asked for at the end of a script.
    package var unseenFailures: [LuaFailure] { unseen.filter { !$0.isObserved }.compactMap(\.failure) }

    /// The same, once each.
    package func takeUnseenFailures() -> [LuaFailure] {
        defer { unseen = [] }
        return unseenFailures
    }

    /// Calls `watcher` when `task` has ended; the number is for `unwatch`.
    @discardableResult
    package func watch(_ task: LuaTask, _ watcher: @escaping () -> Void) -> Int {
        loop.checkIsolated()
        lastWatcher += 1
        if task.hasEnded {
            task.isObserved = true
            watcher()
        } else {
            task.watchers.append(LuaTask.Watcher(id: lastWatcher, call: watcher))
        }
        return lastWatcher
    }

    func unwatch(_ task: LuaTask, _ watcher: Int) {
        task.watchers.removeAll { $0.id == watcher }
    }

    /// Stops every task before the state is closed, so that what is `<close>` in them is closed. Failures are not
    /// reported any more.
    func endTasks() {
        onUnobservedFailure = { _ in }
        while let task = tasks.values.first {
            task.endWait?(.taskCancelled)
            if task.kill == RH_NOT_INTERRUPTED { task.kill = RH_TASK_CANCELLED }
            run(task)
            tasks[ObjectIdentifier(task)] = nil
        }
        ready.removeAll()
    }

    // MARK: Waiting

    /// Suspends the running code until `operation` is done, and pushes what that returns. The operation starts at
    /// once; one that is done without waiting costs no switch. When the task is stopped, the operation is cancelled
    /// and its end waited for.
    package func wait(
        _ stack: LuaStack, _ operation: @escaping () async throws(ScriptError) -> Delivery
    ) throws(ScriptError) -> Int32 {
        let task = try taskThatMayWait(stack)
        var isSuspended = false
        externalWaits += 1
        let work = actor.begin { [self] in
            let result: Result<Delivery, ScriptError>
            do throws(ScriptError) { result = .success(try await operation()) } catch { result = .failure(error) }
            externalWaits -= 1
            if isSuspended { resume(task, with: result) } else { task.delivery = result }
        }
        isSuspended = true
        guard task.delivery == nil else { return try finishAtOnce(stack, task) }
        task.endWait = { _ in work.cancel() }
        return Int32(RH_WAIT)
    }

    /// Suspends the running code until the returned waker is called with what to push; nothing outside of Lua is at
    /// work for it. `cancel` undoes what was registered, when the task is stopped while it waits.
    package func park(
        _ stack: LuaStack, isExternal: Bool = false, cancel: @escaping () -> Void = {},
        _ register: (_ wake: @escaping (Result<Delivery, ScriptError>) -> Void) -> Void
    ) throws(ScriptError) -> Int32 {
        let task = try taskThatMayWait(stack)
        var isDone = false
        if isExternal { externalWaits += 1 }
        let wake: (Result<Delivery, ScriptError>) -> Void = { [self] result in
            guard !isDone else { return }
            isDone = true
            if isExternal { externalWaits -= 1 }
            if case .waiting = task.phase { resume(task, with: result) } else { task.delivery = result }
        }
        register(wake)
        guard task.delivery == nil else { return try finishAtOnce(stack, task) }
        task.endWait = { error in
            cancel()
            wake(.failure(error))
        }
        return Int32(RH_WAIT)
    }

    /// Suspends the running code for `duration`.
    package func sleep(_ stack: LuaStack, for duration: Duration) throws(ScriptError) -> Int32 {
        var timer: TimerID?
        return try park(stack, isExternal: true, cancel: { [loop] in timer.map(loop.cancel) }) { wake in
            timer = loop.schedule(at: .now + duration) { wake(.success { _ in 0 }) }
        }
    }

    /// For functions that are often done without waiting: true when others should have their turn now. The function
    /// then answers `try yield(…)` with what it would have pushed.
    @inline(__always)
    package func isTurnOver() -> Bool { turn.countCall() && rh_killing(state.raw) == RH_NOT_INTERRUPTED }

    /// The running code begins something whose time counts anew against the limit.
    @inline(__always)
    package func noteProgress() { rh_note_progress(state.raw) }

    /// Lets the other tasks run before the running one gets what `delivery` pushes.
    package func yield(_ stack: LuaStack, _ delivery: @escaping Delivery) throws(ScriptError) -> Int32 {
        guard rh_waiting_obstacle(stack.thread) == nil, let task = current, !isStopping(task) else {
            return try delivery(stack)
        }
        task.delivery = .success(delivery)
        enqueue(task)
        return Int32(RH_WAIT)
    }

    /// Whether the running code could wait here.
    package func mayWait(_ stack: LuaStack) -> Bool {
        guard let current else { return false }
        return !isStopping(current) && rh_waiting_obstacle(stack.thread) == nil
    }

    /// Throws what `wait` would throw.
    package func requireWaiting(_ stack: LuaStack) throws(ScriptError) { _ = try taskThatMayWait(stack) }

    private func finishAtOnce(_ stack: LuaStack, _ task: LuaTask) throws(ScriptError) -> Int32 {
        guard turn.countCall(), case .success(let delivery) = task.delivery else { return try deliver(to: stack) }
        return try yield(stack, delivery)
    }

    private func taskThatMayWait(_ stack: LuaStack) throws(ScriptError) -> LuaTask {
        if let current, isStopping(current) {
            throw ScriptError(code: "RH1303", "cannot wait: the task is being stopped")
        }
        if let obstacle = rh_waiting_obstacle(stack.thread) {
            let name = String(cString: obstacle)
            throw ScriptError(
                code: "RH1301", "cannot wait inside a function that \"\(name)\" calls",
                hint: "Do what waits (queries, sleeps) before or after \"\(name)\", and give it the results.")
        }
        guard let task = current else {
            throw ScriptError(code: "RH1302", "cannot wait outside of a task")
        }
        return task
    }

    private func isStopping(_ task: LuaTask) -> Bool {
        task.kill != RH_NOT_INTERRUPTED || rh_killing(state.raw) != RH_NOT_INTERRUPTED
    }

    /// Pushes what the current task waited for.
    func deliver(to stack: LuaStack) throws(ScriptError) -> Int32 {
        guard let task = current, let delivery = task.delivery.take() else { return 0 }
        return try delivery.get()(stack)
    }

    private func resume(_ task: LuaTask, with result: Result<Delivery, ScriptError>) {
        guard !task.hasEnded else { return }
        task.delivery = result
        enqueue(task)
    }
}

// MARK: - Running

extension LuaScheduler {
    private func enqueue(_ task: LuaTask) {
        task.endWait = nil
        if case .waiting = task.phase { task.phase = .ready(arguments: 0) }
        guard !task.isQueued else { return }
        task.isQueued = true
        ready.append(task)
        schedulePump()
    }

    private func schedulePump() {
        guard !isPumpScheduled else { return }
        isPumpScheduled = true
        // Safe: posted to the loop that this object lives on.
        nonisolated(unsafe) let scheduler = self
        loop.post { scheduler.pump() }
    }

    /// Gives each task that is ready now one turn; sockets and timers come between pumps.
    private func pump() {
        isPumpScheduled = false
        for _ in 0..<ready.count {
            guard let task = ready.popFirst() else { break }
            run(task)
        }
        if !ready.isEmpty { schedulePump() }
        if ready.isEmpty && externalWaits == 0 && !tasks.isEmpty { breakDeadlock() }
    }

    private func run(_ task: LuaTask) {
        task.isQueued = false
        guard !task.hasEnded else { return }
        var arguments: Int32 = 0
        if case .ready(let count) = task.phase { arguments = count }
        task.phase = .running
        current = task
        turn.begin()
        var results: Int32 = 0
        let status = rh_resume_task(state.raw, task.thread, arguments, task.kill, &results)
        if status == LUA_YIELD {
            giveWay(task)
        } else {
            end(task, status)
        }
        current = nil
    }

    private func giveWay(_ task: LuaTask) {
        // What is being stopped goes on being stopped: a `<close>` variable's handler may have given way.
        if task.kill == RH_NOT_INTERRUPTED { task.kill = rh_killing(state.raw) }
        if task.delivery == nil {
            task.phase = .waiting
        } else {
            task.phase = .ready(arguments: 0)
            enqueue(task)
        }
    }

    private func end(_ task: LuaTask, _ status: Int32) {
        if status == LUA_OK {
            task.phase = .finished
        } else {
            let failure = LuaFailure(raisedIn: task, state, status)
            if rh_close_task(state.raw, task.thread) == LUA_OK { LuaStack(task.thread).pushNil() }
            task.phase = .failed(failure)
        }
        task.delivery = nil
        task.endWait = nil
        tasks[ObjectIdentifier(task)] = nil
        if task.timer != nil { runningTimers -= 1 }
        onEnd(task)
        if case .exit = task.failure?.interrupt { killAll(RH_EXIT) }
        if !task.watchers.isEmpty { task.isObserved = true }
        let watchers = task.watchers
        task.watchers = []
        for watcher in watchers { watcher.call() }
        if let failure = task.failure, !task.isObserved { reportIfForgotten(task, failure) }
        if tasks.count <= runningTimers { call(&onRest) }
        if tasks.isEmpty { call(&onIdle) }
    }

    private func call(_ waiting: inout [() -> Void]) {
        let callbacks = waiting
        waiting = []
        for callback in callbacks { callback() }
    }

    /// A failed task whose handle is gone can never be waited for; one that has a handle may be, until the end.
    private func reportIfForgotten(_ task: LuaTask, _ failure: LuaFailure) {
        guard failure.interrupt != .taskCancelled else { return }
        unseen.append(task)
        if reportsTimers, task.timer != nil { return reportUnseen(task) }
        rh_collect_garbage(state.stack.thread)
        if task.handle == nil { reportUnseen(task) }
    }

    /// Reports how `task` failed, unless somebody has seen it or wanted it.
    func reportUnseen(_ task: LuaTask) {
        guard let failure = task.failure, failure.interrupt != .taskCancelled, !task.isObserved else { return }
        task.isObserved = true
        unseen.removeAll { $0 === task }
        onUnobservedFailure(failure)
    }

    /// Every task waits for another: the oldest is told so.
    private func breakDeadlock() {
        let waiting = tasks.values.filter { $0.endWait != nil }
        guard let task = waiting.min(by: { $0.reference.value < $1.reference.value }) else { return }
        let error = ScriptError(
            code: "RH1304", "deadlock: every task waits for another one",
            hint: "Check that each channel:receive() has a sender, and that no task waits for itself.")
        task.endWait?(error)
    }
}

// MARK: - Modules

extension LuaScheduler {
    private func registerModuleWaiting() {
        let stack = state.stack
        stack.push(function: { [weak self] stack throws(ScriptError) in
            guard let self, let name = stack.string(at: 1) else { return 0 }
            return try park(stack) { wake in awaitingModules[name, default: []].append(wake) }
        })
        stack.push(function: { [weak self] stack throws(ScriptError) in
            guard let self, let name = stack.string(at: 1) else { return 0 }
            for wake in awaitingModules.removeValue(forKey: name) ?? [] { wake(.success { _ in 0 }) }
            return 0
        })
        rh_set_module_waiting(stack.thread)
    }
}

extension ScriptError {
    fileprivate static let taskCancelled = ScriptError(code: "RH1203", "task was cancelled")
}

/// How long one task has run without giving way.
private struct Turn {
    /// Long enough to be cheap, short enough that nobody notices.
    private static let length: Duration = .milliseconds(2)
    /// Reading the clock costs as much as a short host call.
    private static let callsBetweenLooks: UInt32 = 256

    private var calls: UInt32 = 0
    private var start: ContinuousClock.Instant?

    mutating func begin() {
        calls = 0
        start = nil
    }

    @inline(__always)
    mutating func countCall() -> Bool {
        calls &+= 1
        return calls % Self.callsBetweenLooks == 0 && look()
    }

    private mutating func look() -> Bool {
        let now = ContinuousClock.now
        guard let start else {
            self.start = now
            return false
        }
        return now - start >= Self.length
    }
}

extension Interrupt {
    var kind: rh_interrupt {
        switch self {
        case .timeLimit: RH_TIME_LIMIT
        case .user: RH_USER_INTERRUPT
        case .taskCancelled: RH_TASK_CANCELLED
        case .exit: RH_EXIT
        }
    }
}
