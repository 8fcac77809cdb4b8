import CLua
import CLuaShim

/// Pushes what a wait ended with, and answers how many values that is.
package typealias Delivery = (LuaStack) throws(ScriptError) -> Int32

/// One coroutine of the scheduler's: the main script, or what `rh.spawn` started.
package final class LuaTask {
    enum Phase {
        /// In the ready queue, with so many arguments on its stack. Goes to `.running`.
        case ready(arguments: Int32)
        case running
        /// Suspended until somebody sets `delivery` and puts it in the ready queue.
        case waiting
        /// Final: the results are on the coroutine's stack.
        case finished
        /// Final: the error value is on the coroutine's stack.
        case failed(LuaFailure)
    }

    struct Watcher {
        let id: Int
        let call: () -> Void
    }

    let thread: LuaThread
    let reference: LuaReference
    private let state: LuaState
    /// Where it was spawned, as "file:line".
    package let origin: String?
    private let began = ContinuousClock.now
    var phase: Phase
    var delivery: Result<Delivery, ScriptError>?
    /// Ends what it waits for; the wait then completes, with the given error if it has none of its own.
    var endWait: ((ScriptError) -> Void)?
    var isQueued = false
    var kill: rh_interrupt = RH_NOT_INTERRUPTED
    /// Told when the task has ended, in order.
    var watchers: [Watcher] = []
    /// Somebody has seen, or will see, how it ended.
    var isObserved = false
    /// Of a timer (`rh.every`, `rh.after`), the later ones the larger; nil for other tasks.
    package internal(set) var timer: Int?
    weak var handle: TaskHandle?

    /// `thread` is kept from being collected by `reference`, which is dropped with the task.
    init(thread: LuaThread, reference: LuaReference, state: LuaState, origin: String?, arguments: Int32) {
        self.thread = thread
        self.state = state
        self.reference = reference
        self.origin = origin
        phase = .ready(arguments: arguments)
    }

    deinit {
        if !state.isClosed { state.stack.release(reference) }
    }

    package var hasEnded: Bool {
        switch phase {
        case .finished, .failed: true
        case .ready, .running, .waiting: false
        }
    }

    /// What it does, for people.
    package struct Overview {
        package let origin: String?
        /// "ready", "running", "waiting" or "ended".
        package let state: String
        package let isTimer: Bool
        package let age: Duration
    }

    var overview: Overview {
        let state =
            switch phase {
            case .ready: "ready"
            case .running: "running"
            case .waiting: "waiting"
            case .finished, .failed: "ended"
            }
        return Overview(origin: origin, state: state, isTimer: timer != nil, age: ContinuousClock.now - began)
    }

    package var failure: LuaFailure? {
        if case .failed(let failure) = phase { failure } else { nil }
    }

    /// The first of a finished task's results, if it is a string.
    package var firstResult: String? {
        guard case .finished = phase, LuaStack(thread).count > 0 else { return nil }
        return LuaStack(thread).string(at: 1)
    }

    /// A finished task's results are the values on this stack, which is valid as long as the task.
    package var results: LuaStack? {
        guard case .finished = phase else { return nil }
        return LuaStack(thread)
    }

    /// A finished task's results as `tostring` shows them.
    package var resultTexts: [String] {
        guard case .finished = phase else { return [] }
        let stack = LuaStack(thread)
        return (0..<stack.count).map { stack.displayText(at: $0 + 1) }
    }

    /// What scripts are told: "ready", "running", "waiting", "finished", "failed".
    package var status: String {
        switch phase {
        case .ready: "ready"
        case .running: "running"
        case .waiting: "waiting"
        case .finished: "finished"
        case .failed: "failed"
        }
    }

    /// Pushes copies of what the task ended with; raises its error as it was.
    func pushOutcome(to stack: LuaStack) throws(ScriptError) -> Int32 {
        guard !state.isClosed else { return 0 }
        isObserved = true
        let own = LuaStack(thread)
        if case .failed = phase {
            try own.reserve(1)
            own.pushCopy(of: -1)
            lua_xmove(thread, stack.thread, 1)
            return stack.raise()
        }
        let count = own.count
        try stack.reserve(Int(count))
        try own.reserve(Int(count))
        for index in 0..<count { own.pushCopy(of: index + 1) }
        lua_xmove(thread, stack.thread, count)
        return count
    }
}
