import EventLoops
import Glibc
import Logging
import LuaRuntime
import Postgres
import Replication

/// One thread of a pipeline, with a Lua state of its own where the pipeline has functions.
// Safe: `worker` and `pipeline` are used on the loop's thread only.
final class CrewMember: PipelineWorker, @unchecked Sendable {
    private static let logger = Logger(label: "replhost")

    let actor: LoopActor
    let source: ConnectionPool
    let sink: ConnectionPool
    let sinkSettings: String
    private var worker: ScriptWorker?
    private var pipeline: LoadedPipeline?

    /// The host's own worker as a member.
    init(_ actor: LoopActor, _ pipeline: LoadedPipeline) {
        self.actor = actor
        self.pipeline = pipeline
        source = pipeline.source
        sink = pipeline.sink
        sinkSettings = pipeline.definition.sinkSettings
    }

    private init(_ actor: LoopActor, _ worker: ScriptWorker?, _ pipeline: LoadedPipeline?, like other: CrewMember) {
        self.actor = actor
        self.worker = worker
        self.pipeline = pipeline
        source = pipeline?.source ?? other.source
        sink = pipeline?.sink ?? other.sink
        sinkSettings = other.sinkSettings
    }

    func makeTransform(_ mapping: TableMapping) throws(ReplicationError) -> (any RowTransform)? {
        pipeline?.makeTransform(mapping)
    }

    func policy(for change: SchemaChange) async throws(ReplicationError) -> StreamOptions.SchemaPolicy {
        switch await pipeline?.answer(to: change) {
        case nil: return .stop
        case .policy(let policy): return policy
        case .wrong(let answer):
            throw .mismatch(
                code: "RH3642",
                "on_schema_change returned \(answer) for \(change.table), which has changed: \(change.summary)",
                hint: "It returns \"apply\", \"stop\" or \"ignore\".")
        case .failed(let failure):
            throw .transform(
                TransformFailure(
                    code: failure.error.code == "RH1000" ? "RH3643" : failure.error.code,
                    message: "on_schema_change: \(failure.error.message)", hint: failure.error.hint,
                    details: failure.error.details, position: failure.position, traceback: failure.traceback,
                    table: change.table, subject: "changed table \(change.table)",
                    isInterrupt: failure.interrupt != nil && failure.interrupt != .timeLimit))
        }
    }

    /// What its Lua state was loaded from. On the member's loop.
    func files(of source: ScriptSource) -> [String: SourceStamp] { worker.map(source.files) ?? [:] }

    /// What the member's own Lua state has loaded.
    var definition: PipelineDefinition? { pipeline?.definition }

    func committed(_ commit: StreamCommit) async {
        guard let failure = await pipeline?.call(.commit, commit) else { return }
        Self.logger.error("on_commit: \(FailureReport(failure, showsValues: false).line)")
    }

    /// Ends the thread; the Lua state first.
    func end() async {
        await actor.run { [self] _ in
            pipeline = nil
            worker?.isEnding = true
            worker?.close()
            worker = nil
        }
        actor.loop.stop()
    }

    // MARK: Making them

    /// - Parameter failure: is told of code that fails with nobody to see it. The first member keeps the file's timers then.
    static func make(
        _ number: Int, for pipeline: String, of source: ScriptSource, _ options: ScriptOptions, like other: CrewMember,
        needsLua: Bool, _ failure: RunFailure?
    ) async -> Result<CrewMember, LuaFailure> {
        let actor = LoopActor(EventLoop(name: "copy \(number)"))
        guard needsLua else { return .success(CrewMember(actor, nil, nil, like: other)) }
        let made = await actor.run { actor in
            do throws(ScriptError) {
                let worker = try ScriptWorker(for: source, options, on: actor)
                worker.scheduler.reportsTimers = true
                if let failure { worker.scheduler.onUnobservedFailure = failure.note }
                switch await load(source, pipeline, in: worker, keepsTimers: failure != nil && number == 1) {
                case .success(let loaded):
                    return Result<CrewMember, LuaFailure>.success(CrewMember(actor, worker, loaded, like: other))
                case .failure(let failure):
                    worker.close()
                    return .failure(failure)
                }
            } catch {
                return .failure(LuaFailure(error: error))
            }
        }
        if case .failure = made { actor.loop.stop() }
        return made
    }

    /// Runs the file once more: a state has functions of its own. What it prints was printed already.
    private static func load(
        _ source: ScriptSource, _ name: String, in worker: ScriptWorker, keepsTimers: Bool
    ) async -> Result<LoadedPipeline, LuaFailure> {
        do throws(ScriptError) {
            let stack = worker.state.stack
            let print = silencePrint(stack)
            try worker.load(source)
            let task = worker.start()
            worker.scheduler.watch(task) { if !keepsTimers { worker.scheduler.endTimers() } }
            await worker.scheduler.end(of: task)
            await worker.scheduler.untilOnlyTimers()
            restore(print, stack)
            if let failure = task.failure { return .failure(failure) }
            let all = try LoadedPipelines.read(resultsOf: task, scriptHash: try source.hash, worker)
            guard let pipeline = all.first(where: { $0.definition.name == name }) else {
                throw ScriptError(
                    code: "RH3110", "the script did not return pipeline \"\(name)\" when it was loaded again",
                    hint: "A pipeline file is loaded once for each worker, and has to return the same each time.")
            }
            return .success(pipeline)
        } catch {
            return .failure(LuaFailure(error: error))
        }
    }

    private static func silencePrint(_ stack: LuaStack) -> LuaReference {
        stack.pushGlobals()
        stack.getField("print", of: -1)
        let print = stack.makeReference()
        stack.push(function: { _ in 0 })
        stack.setField("print", of: -2)
        stack.pop()
        return print
    }

    private static func restore(_ print: LuaReference, _ stack: LuaStack) {
        stack.pushGlobals()
        stack.push(print)
        stack.setField("print", of: -2)
        stack.pop()
        stack.release(print)
    }
}

/// How many threads a pipeline has.
enum CrewSize {
    static func count(_ definition: PipelineDefinition, _ source: ConnectionPool, _ sink: ConnectionPool) -> Int {
        let wanted = definition.snapshot.workers ?? min(max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1), 8)
        // One connection of each pool is the coordinator's.
        let room = min(source.statistics().max, sink.statistics().max) - 1
        return max(1, min(wanted, room))
    }
}
