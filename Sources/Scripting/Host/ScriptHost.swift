import EventLoops
import Glibc
package import LuaRuntime
import Replication

/// One worker and everything that it needs to run scripts: an event loop, a Lua state, the process's pools.
// Safe: `worker`, `loaded`, `source` and `failures` are used on the loop's thread only.
package final class ScriptHost: @unchecked Sendable {
    let options: ScriptOptions
    private let loop: EventLoop
    let actor: LoopActor
    private(set) var worker: ScriptWorker?
    /// What the script has returned.
    private(set) var loaded: [LoadedPipeline] = []
    private(set) var source: ScriptSource?
    private var failures: [LuaFailure] = []
    /// The script has timers, which run with its pipelines.
    private(set) var hasTimers = false
    /// Told of tasks that fail with nobody to see it, while pipelines run.
    var onTaskFailure: ((LuaFailure) -> Void)?
    let pipelineState = PipelineState()

    package static func start(_ options: ScriptOptions) async throws(ScriptError) -> ScriptHost {
        guard StandardLibrary.directory != nil else {
            throw ScriptError(
                code: "RH1006", "cannot find the standard library",
                hint: "Keep the folder \"stdlib\" beside the executable, or above it.")
        }
        _ = ProcessFigures.started
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
                try worker.load(source)
                return await finish(worker, try await end(of: worker.start(), source, worker))
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
                let task = worker.start()
                let outcome = await finish(worker, task)
                return result(of: task, outcome, worker)
            } catch {
                return .failed(LuaFailure(error: error))
            }
        }
    }

    /// How long a stream may take to end after the transaction that is under way.
    private static let streamPatience: Duration = .seconds(3)

    /// Ctrl-C, from any thread: running Lua code is stopped, SQL is cancelled on the server, leases go back. Streams may
    /// finish what they are at.
    package func interrupt() {
        guard pipelineState.isStreaming else { return interruptAtOnce() }
        pipelineState.endStreams()
        loop.post { [self] in
            loop.schedule(at: .now + Self.streamPatience) { [self] in interruptAtOnce() }
        }
    }

    private func interruptAtOnce() {
        Watchdog.shared.interruptAll()
        pipelineState.cancel()
        loop.post { [self] in worker?.scheduler.killAll(.user) }
    }

    /// Ends tasks, closes the state, then the pools.
    package func close() async {
        await actor.run { [self] _ in
            guard let worker else { return }
            worker.isEnding = true
            worker.scheduler.killAll(.taskCancelled)
            await worker.scheduler.untilIdle()
            loaded = []
            worker.close()
            self.worker = nil
        }
        await options.pools.closeAll(timeout: .seconds(2))
        loop.stop()
    }
}

// MARK: - On the loop's thread

extension ScriptHost {
    /// Waits for a script's own task, and keeps the pipelines that it returns before any of its timers can run.
    func end(of task: LuaTask, _ source: ScriptSource, _ worker: ScriptWorker) async throws(ScriptError) -> LuaTask {
        var outcome: Result<Void, ScriptError> = .success(())
        worker.scheduler.watch(task) { [self] in
            guard task.failure == nil else { return }
            do throws(ScriptError) { try keepPipelines(of: task, source, worker) } catch { outcome = .failure(error) }
        }
        await worker.scheduler.end(of: task)
        try outcome.get()
        return task
    }

    private func keepPipelines(
        of task: LuaTask, _ source: ScriptSource, _ worker: ScriptWorker
    ) throws(ScriptError) {
        self.source = source
        loaded = try LoadedPipelines.read(resultsOf: task, scriptHash: try source.hash, worker)
        guard !loaded.isEmpty else { return }
        let pipelines = loaded.map {
            PipelineState.Pipeline(name: $0.definition.name, source: $0.source, sink: $0.sink)
        }
        pipelineState.note(pipelines, of: source.absolutePath, source.files(of: worker))
        hasTimers = worker.scheduler.timers > 0
        // The state of a pipeline's own functions has them, too.
        worker.scheduler.endTimers()
    }

    func makeWorker(for source: ScriptSource) throws(ScriptError) -> ScriptWorker {
        if let worker { return worker }
        let made = try ScriptWorker(for: source, options, on: actor)
        made.scheduler.onUnobservedFailure = { [self, unowned made] failure in
            if let onTaskFailure { return onTaskFailure(failure) }
            failures.append(failure)
            made.scheduler.killAll(.taskCancelled)
        }
        worker = made
        return made
    }

    /// False if the text is the beginning of a chunk.
    func loadLine(_ text: String, in worker: ScriptWorker) throws(ScriptError) -> Bool {
        if (try? worker.state.load("return \(text)", named: "=stdin")) != nil { return true }
        do throws(ScriptError) {
            try worker.state.load(text, named: "=stdin")
            return true
        } catch {
            if error.message.hasSuffix("<eof>") { return false }
            throw error
        }
    }

    /// Waits for the task, and for those it has started; when it fails, they are stopped.
    func finish(_ worker: ScriptWorker, _ task: LuaTask) async -> ScriptOutcome {
        worker.scheduler.watch(task) {
            if task.failure != nil { worker.scheduler.killAll(.taskCancelled) }
        }
        await worker.scheduler.untilIdle()
        var all = failures + worker.scheduler.takeUnseenFailures()
        failures = []
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
