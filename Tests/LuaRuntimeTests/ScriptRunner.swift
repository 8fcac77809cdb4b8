import CLua
import CLuaShim
import EventLoops
import Glibc
import LuaRuntime

/// How a script ended.
struct ScriptOutcome: Sendable {
    /// What it printed, one call a line.
    var printed: [String] = []
    /// How the main task failed.
    var failure: LuaFailure?
    /// Failures of tasks that nobody waited for.
    var unobserved: [LuaFailure] = []
    /// Probes that were alive before the state was closed, after a full collection, and after.
    var livingProbes = 0
    var livingProbesAfterClose = 0

    var message: String? { failure?.error.message }
    var code: String? { failure?.error.code }
}

/// A host object that scripts make and drop.
final class Probe {
    let count: ProbeCount
    var isOpen = true

    init(_ count: ProbeCount) {
        self.count = count
        count.living += 1
    }

    deinit { count.living -= 1 }
}

final class ProbeCount {
    var living = 0
    var closed = 0
}

/// Runs scripts in a state with a scheduler, a watchdog, and a few host functions:
///
/// `sleep(s)`, `spawn(f, …)`, `print(…)`, `probe()`, `fetch(v)` (done at once), `slowly(v)` (done later), `fail(text)`,
/// `call(f, …)` (called by the host), `collect()`, `interrupt()` (Ctrl-C), `failing(n)`, `memory()`.
// Safe: everything but `loop` is touched on the loop's thread.
final class ScriptRunner: @unchecked Sendable {
    private let loop = EventLoop(name: "lua test")
    private let actor: LoopActor
    private var state: LuaState?
    private var scheduler: LuaScheduler?
    private var outcome = ScriptOutcome()
    let probes = ProbeCount()
    /// Its own: Ctrl-C in one test must not reach others.
    private let watchdog = Watchdog()
    private static let probeType = ObjectType<Probe>("probe")

    init() { actor = LoopActor(loop) }

    /// Runs `text` to its end, and all the tasks it has spawned; then closes the state.
    static func run(
        _ text: String, afterwards: String? = nil, closesAtOnce: Bool = false,
        _ configure: (inout LuaOptions) -> Void = { _ in }
    ) async throws -> ScriptOutcome {
        let runner = ScriptRunner()
        var options = LuaOptions(directory: "/nonexistent")
        options.timeLimit = .seconds(20)
        configure(&options)
        try await runner.open(options)
        await runner.evaluate(text, untilIdle: !closesAtOnce)
        if let afterwards { await runner.evaluate(afterwards, untilIdle: true) }
        return await runner.close()
    }

    func open(_ options: LuaOptions) async throws {
        try await actor.run { [self] _ throws(ScriptError) in try start(options) }
    }

    private func start(_ options: LuaOptions) throws(ScriptError) {
        let state = try LuaState(options)
        let scheduler = LuaScheduler(state: state, on: actor)
        scheduler.onUnobservedFailure = { [unowned self] in outcome.unobserved.append($0) }
        self.state = state
        self.scheduler = scheduler
        register(state, scheduler)
        watchdog.watch(state)
    }

    /// Runs a script's main task; its failure is kept.
    func evaluate(_ text: String, untilIdle: Bool = true) async {
        await actor.run { [self] _ in
            guard let state, let scheduler else { return }
            do throws(ScriptError) {
                try state.load(text, named: "=test")
            } catch {
                outcome.failure = LuaFailure(error: error)
                return
            }
            let task = scheduler.spawn(state.stack, arguments: 0, origin: nil)
            guard untilIdle else {
                for _ in 0..<10 { try? await loop.sleep(until: .now) }
                return
            }
            scheduler.watch(task) {}
            await scheduler.untilIdle()
            outcome.failure = task.failure
            outcome.unobserved += scheduler.unseenFailures
        }
    }

    func close() async -> ScriptOutcome {
        let result = await actor.run { [self] _ in
            if let state {
                rh_collect_garbage(state.stack.thread)
                rh_collect_garbage(state.stack.thread)
            }
            outcome.livingProbes = probes.living
            state?.close()
            state = nil
            scheduler = nil
            for _ in 0..<20 { try? await loop.sleep(until: .now) }
            outcome.livingProbesAfterClose = probes.living
            return outcome
        }
        loop.stop()
        await loop.untilStopped()
        return result
    }

    /// Runs `body` with the state, on its thread.
    func withState<Value: Sendable>(_ body: @Sendable (LuaState, LuaScheduler) -> Value) async -> Value? {
        await actor.run { [self] _ in
            guard let state, let scheduler else { return nil }
            return body(state, scheduler)
        }
    }

    /// After a full collection.
    func livingProbes() async -> Int {
        _ = await withState { state, _ in
            rh_collect_garbage(state.stack.thread)
            rh_collect_garbage(state.stack.thread)
        }
        return await actor.run { [self] _ in probes.living }
    }

    func takeOutcome() async -> ScriptOutcome {
        await actor.run { [self] _ in
            defer { outcome = ScriptOutcome() }
            return outcome
        }
    }
}

// MARK: - Host functions

extension ScriptRunner {
    private func register(_ state: LuaState, _ scheduler: LuaScheduler) {
        registerProbe(in: state.stack)
        let functions: [String: HostFunction] = [
            "print": { [unowned self] in printLine($0) },
            "sleep": { [unowned scheduler] stack throws(ScriptError) in
                try scheduler.sleep(stack, for: .seconds(stack.number(at: 1) ?? 0))
            },
            "spawn": { [unowned scheduler] stack throws(ScriptError) in
                TaskHandle.push(
                    scheduler.spawn(stack, arguments: stack.count - 1, origin: nil), of: scheduler, to: stack)
                return 1
            },
            "fetch": { [unowned self] stack throws(ScriptError) in try fetch(stack, slowly: false) },
            "slowly": { [unowned self] stack throws(ScriptError) in try fetch(stack, slowly: true) },
            "fail": { stack throws(ScriptError) in
                throw ScriptError(code: "RH9999", stack.string(at: 1) ?? "failed", hint: "A hint.")
            },
            "call": { stack in
                rh_protected_call(stack.thread, stack.count - 1, LUA_MULTRET) == LUA_OK ? stack.count : stack.raise()
            },
            "collect": { stack in
                rh_collect_garbage(stack.thread)
                return 0
            },
            "interrupt": { [watchdog] _ in
                watchdog.interruptAll()
                return 0
            },
            "failing": { stack in
                stack.state.failAllocation(after: UInt64(stack.integer(at: 1) ?? 0))
                return 0
            },
            "memory": { stack in
                stack.push(Int64(stack.state.memoryUsed))
                return 1
            },
        ]
        for (name, function) in functions {
            state.stack.pushGlobals()
            state.stack.push(function: function)
            state.stack.setField(name, of: -2)
            state.stack.pop()
        }
    }

    private func registerProbe(in stack: LuaStack) {
        let type = Self.probeType
        let close: HostFunction = { stack throws(ScriptError) in
            let probe = try stack.receiver(type, "probe:close")
            if probe.isOpen { probe.count.closed += 1 }
            probe.isOpen = false
            return 0
        }
        type.register(
            in: stack, methods: ["close": close],
            properties: [
                "open": { stack throws(ScriptError) in
                    stack.push(try stack.receiver(type, "probe").isOpen)
                    return 1
                }
            ],
            metamethods: ["__close": close])
        stack.pushGlobals()
        stack.push(function: { [probes] stack in
            stack.push(Probe(probes), type)
            return 1
        })
        stack.setField("probe", of: -2)
        stack.push(function: { [probes] stack in
            stack.push(Int64(probes.closed))
            return 1
        })
        stack.setField("closed", of: -2)
        stack.pop()
    }

    private func printLine(_ stack: LuaStack) -> Int32 {
        let words = (1...max(1, stack.count)).map { index in
            stack.string(at: index) ?? stack.integer(at: index).map(String.init) ?? stack.errorValue(at: index)?.message
                ?? stack.boolean(at: index).map(String.init) ?? stack.describe(at: index)
        }
        outcome.printed.append(words.joined(separator: " "))
        return 0
    }

    private func fetch(_ stack: LuaStack, slowly: Bool) throws(ScriptError) -> Int32 {
        guard let scheduler else { return 0 }
        let value = stack.integer(at: 1) ?? 0
        let loop = loop
        let probe = Probe(probes)
        return try scheduler.wait(stack) { () async throws(ScriptError) in
            if slowly {
                do throws(WaitError) {
                    try await loop.sleep(until: .now + .milliseconds(1))
                } catch {
                    throw ScriptError(code: "RH9998", "the fetch was cancelled")
                }
            }
            return { stack in
                _ = probe
                stack.push(value)
                return 1
            }
        }
    }
}
