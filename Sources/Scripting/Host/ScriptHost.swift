import EventLoops
import Glibc
package import LuaRuntime

/// One worker and everything that it needs to run scripts: an event loop, a Lua state, the process's pools.
// Safe: `worker` and `failures` are used on the loop's thread only.
package final class ScriptHost: @unchecked Sendable {
    private let options: ScriptOptions
    private let loop: EventLoop
    private let actor: LoopActor
    private var worker: ScriptWorker?
    private var failures: [LuaFailure] = []

    package static func start(_ options: ScriptOptions) async throws(ScriptError) -> ScriptHost {
        guard StandardLibrary.directory != nil else {
            throw ScriptError(
                code: "RH1006", "cannot find the standard library",
                hint: "Keep the folder \"stdlib\" beside the executable, or above it.")
        }
        return ScriptHost(options)
    }

    private init(_ options: ScriptOptions) {
        self.options = options
        loop = EventLoop(name: "worker")
        actor = LoopActor(loop)
    }

    /// Runs a script until all its tasks have ended.
    package func run(_ source: ScriptSource) async -> ScriptOutcome {
        await actor.run { [self] _ in
            do throws(ScriptError) {
                let worker = try makeWorker(for: source)
                try load(source, in: worker)
                return await finish(worker, start(worker))
            } catch {
                return .failed([LuaFailure(error: error)])
            }
        }
    }

    /// Runs a line of a REPL: as `return text` if that compiles, else as it is. Globals stay for the next line.
    package func evaluate(_ text: String) async -> EvaluationOutcome {
        await actor.run { [self] _ in
            do throws(ScriptError) {
                let worker = try makeWorker(for: .text(text, name: "=stdin"))
                guard try loadLine(text, in: worker) else { return .incomplete }
                let task = start(worker)
                let outcome = await finish(worker, task)
                return result(of: task, outcome, worker)
            } catch {
                return .failed(LuaFailure(error: error))
            }
        }
    }

    /// Ctrl-C, from any thread: running Lua code is stopped, SQL is cancelled on the server, leases go back.
    package func interrupt() {
        Watchdog.shared.interruptAll()
        loop.post { [self] in worker?.scheduler.killAll(.user) }
    }

    /// Ends tasks, closes the state, then the pools.
    package func close() async {
        await actor.run { [self] _ in
            guard let worker else { return }
            worker.isEnding = true
            worker.scheduler.killAll(.taskCancelled)
            await worker.scheduler.untilIdle()
            worker.close()
            self.worker = nil
        }
        await PoolRegistry.shared.closeAll(timeout: .seconds(2))
        loop.stop()
    }
}

// MARK: - On the loop's thread

extension ScriptHost {
    private func makeWorker(for source: ScriptSource) throws(ScriptError) -> ScriptWorker {
        if let worker { return worker }
        var lua = LuaOptions(directory: Self.directory(of: source))
        lua.libraryDirectory = StandardLibrary.directory
        lua.permissions = options.permissions
        lua.isStrict = options.isStrict
        lua.memoryLimit = options.memoryLimit
        lua.timeLimit = options.timeLimit
        let made = try ScriptWorker(options, lua, on: actor)
        made.scheduler.onUnobservedFailure = { [self, unowned made] failure in
            failures.append(failure)
            made.scheduler.killAll(.taskCancelled)
        }
        setArguments(source, made.state.stack)
        worker = made
        return made
    }

    private static func directory(of source: ScriptSource) -> String {
        if case .file(let path) = source, let real = StandardLibrary.realPath(path) {
            let parent = StandardLibrary.parent(of: real)
            return parent.isEmpty ? "/" : parent
        }
        return StandardLibrary.realPath(".") ?? "/"
    }

    private func setArguments(_ source: ScriptSource, _ stack: LuaStack) {
        stack.pushGlobals()
        stack.pushTable(arrayCount: options.arguments.count)
        for (position, argument) in options.arguments.enumerated() {
            stack.push(argument)
            stack.setElement(position + 1, of: -2)
        }
        switch source {
        case .file(let path): stack.push(path)
        case .text(_, let name): stack.push(String(name.drop { $0 == "=" }))
        }
        stack.setElement(0, of: -2)
        stack.setField("arg", of: -2)
        stack.pop()
    }

    private func load(_ source: ScriptSource, in worker: ScriptWorker) throws(ScriptError) {
        switch source {
        case .text(let text, let name): try worker.state.load(ScriptText.prepared(text), named: name)
        case .file(let path): try worker.state.load(ScriptText.prepared(try ScriptText.read(path)), named: "@\(path)")
        }
    }

    /// False if the text is the beginning of a chunk.
    private func loadLine(_ text: String, in worker: ScriptWorker) throws(ScriptError) -> Bool {
        if (try? worker.state.load("return \(text)", named: "=stdin")) != nil { return true }
        do throws(ScriptError) {
            try worker.state.load(text, named: "=stdin")
            return true
        } catch {
            if error.message.hasSuffix("<eof>") { return false }
            throw error
        }
    }

    /// Makes a task of the chunk on top of the stack, called with the script's arguments.
    private func start(_ worker: ScriptWorker) -> LuaTask {
        let stack = worker.state.stack
        for argument in options.arguments { stack.push(argument) }
        return worker.scheduler.spawn(stack, arguments: Int32(options.arguments.count), origin: nil)
    }

    /// Waits for the task, and for those it has started; when it fails, they are stopped.
    private func finish(_ worker: ScriptWorker, _ task: LuaTask) async -> ScriptOutcome {
        failures = []
        worker.scheduler.watch(task) {
            if task.failure != nil { worker.scheduler.killAll(.taskCancelled) }
        }
        await worker.scheduler.untilIdle()
        var all = failures + worker.scheduler.takeUnseenFailures()
        if let failure = task.failure, failure.interrupt != .taskCancelled || all.isEmpty { all.insert(failure, at: 0) }
        for failure in all {
            switch failure.interrupt {
            case .exit(let code): return .exited(code: code)
            case .user: return .interrupted
            case .timeLimit, .taskCancelled, nil: continue
            }
        }
        return all.isEmpty ? .finished : .failed(all)
    }

    private func result(of task: LuaTask, _ outcome: ScriptOutcome, _ worker: ScriptWorker) -> EvaluationOutcome {
        switch outcome {
        case .finished: .values(task.resultTexts)
        case .exited(let code): .exited(code: code)
        case .interrupted: .interrupted
        case .failed(let failures): .failed(failures.first ?? LuaFailure(error: ScriptError(code: "RH1000", "failed")))
        }
    }
}
