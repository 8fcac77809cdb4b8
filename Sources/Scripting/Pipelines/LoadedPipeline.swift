import CLuaShim
import EventLoops
import LuaRuntime
import Postgres
import PostgresProtocol
import Replication

/// A pipeline that a script has returned, in one Lua state.
// Safe: what is not constant is used on its worker's loop only.
final class LoadedPipeline: @unchecked Sendable {
    /// What of it may be anywhere.
    let definition: PipelineDefinition
    let source: ConnectionPool
    let sink: ConnectionPool
    let limits: PipelineLimits
    private let functions: [TransformFunction?]
    private let hooks: [PipelineHook: LuaReference]
    private let library: TransformLibrary
    private let worker: ScriptWorker
    /// Stands for the functions of all tables while somebody tries it.
    var trial: TransformFunction?

    init(_ reader: PipelineReader, scriptHash: String, _ worker: ScriptWorker) throws(ScriptError) {
        definition = reader.definition(scriptHash: scriptHash)
        source = try reader.pool("source")
        sink = try reader.pool("sink")
        limits = reader.limits
        functions = reader.functions
        hooks = reader.hooks
        library = reader.library
        self.worker = worker
    }

    /// Takes the changes of `other`'s target back to its source. Functions of the script have no part in it.
    init(wayBack definition: PipelineDefinition, of other: LoadedPipeline) {
        self.definition = definition
        (source, sink) = (other.sink, other.source)
        limits = other.limits
        functions = []
        hooks = [:]
        library = other.library
        worker = other.worker
    }

    deinit {
        guard !worker.state.isClosed else { return }
        for function in functions.compactMap(\.self) { worker.state.stack.release(function.reference) }
        for hook in hooks.values { worker.state.stack.release(hook) }
    }

    /// The function for the rows of a table; nil if they go through as they are.
    func makeTransform(_ mapping: TableMapping) -> LuaRowTransform? {
        let own = functions.indices.contains(mapping.rule) ? functions[mapping.rule] : nil
        guard let function = trial ?? own else { return nil }
        let time = worker.options.figures.functions.time(of: definition.name, mapping.source.name)
        return LuaRowTransform(function, limits, mapping, library, time, worker)
    }

    /// Workers need functions of the script.
    var needsWorkers: Bool {
        hooks[.commit] != nil || hooks[.schemaChange] != nil || functions.contains { $0 != nil }
    }

    /// Calls a function that the pipeline has for this moment, if it has one. Returns why it failed.
    func call(_ hook: PipelineHook, _ commit: StreamCommit? = nil) async -> LuaFailure? {
        await task(hook, arguments: commit == nil ? 0 : 1) { stack in if let commit { push(commit, to: stack) } }?
            .failure
    }

    /// What the script's function answers to a table of the source that has changed; nil if there is no function.
    func answer(to change: SchemaChange) async -> SchemaAnswer? {
        let task = await task(.schemaChange, arguments: 1) { stack in push(change, to: stack) }
        guard let task else { return nil }
        if let failure = task.failure { return .failed(failure) }
        guard let results = task.results, results.count == 1, let word = results.string(at: 1),
            let policy = StreamOptions.SchemaPolicy(rawValue: word), policy != .ask
        else { return .wrong(task.results.map(Self.describe) ?? "nothing") }
        return .policy(policy)
    }

    private static func describe(_ results: LuaStack) -> String {
        switch results.count {
        case 0: "nothing"
        case 1: results.type(at: 1) == .string ? DisplayText.short(of: 1, results) : results.describe(at: 1)
        default: "\(results.count) values"
        }
    }

    /// One that has ended; nil if the pipeline has no such function.
    private func task(_ hook: PipelineHook, arguments: Int32, _ push: (LuaStack) -> Void) async -> LuaTask? {
        guard let reference = hooks[hook] else { return nil }
        let stack = worker.state.stack
        stack.push(reference)
        push(stack)
        let task = worker.scheduler.spawn(stack, arguments: arguments, origin: nil)
        await worker.scheduler.end(of: task)
        return task
    }

    private func push(_ change: SchemaChange, to stack: LuaStack) {
        stack.pushTable(fieldCount: 5)
        stack.push(change.table.description)
        stack.setField("table", of: -2)
        for (name, columns) in [("added", change.added), ("dropped", change.dropped), ("retyped", change.retyped)] {
            stack.pushTable(arrayCount: columns.count)
            for (position, column) in columns.enumerated() {
                stack.push(column)
                stack.setElement(position + 1, of: -2)
            }
            stack.setField(name, of: -2)
        }
        stack.push(change.summary)
        stack.setField("summary", of: -2)
    }

    private func push(_ commit: StreamCommit, to stack: LuaStack) {
        stack.pushTable(fieldCount: 5)
        stack.push(commit.position.description)
        stack.setField("lsn", of: -2)
        stack.push(Int64(commit.transactions))
        stack.setField("transactions", of: -2)
        stack.push(Int64(commit.changes))
        stack.setField("changes", of: -2)
        stack.push(Int64(commit.conflicts))
        stack.setField("conflicts", of: -2)
        if let time = commit.commitTime {
            stack.push(RowFacts.text(ofTimestamp: time))
            stack.setField("commit_time", of: -2)
        }
    }
}

/// When a pipeline calls a function.
enum PipelineHook: String, CaseIterable {
    /// Before anything is read.
    case start = "on_start"
    /// At the end, however that came.
    case stop = "on_stop"
    /// All tables are copied.
    case snapshotDone = "on_snapshot_done"
    /// Changes are in the target; gets which.
    case commit = "on_commit"
    /// A table of the source has changed; says what becomes of it.
    case schemaChange = "on_schema_change"
}

/// What `on_schema_change` has made of its argument.
enum SchemaAnswer {
    case policy(StreamOptions.SchemaPolicy)
    /// None of the words that are known; as text.
    case wrong(String)
    case failed(LuaFailure)
}

/// A pipeline's `limits`; nil: the host's.
struct PipelineLimits: Sendable, Equatable {
    /// How long a function may run for one row, or one batch, without waiting.
    var rowTime: Duration?
    var batchTime: Duration?
    /// Of each worker's Lua state, in bytes.
    var memory: Int?
}

enum LoadedPipelines {
    /// The pipelines that a script has returned, one or a list; none for a plain script. `task` is its main chunk's and
    /// has finished; `scriptHash` identifies the script's text.
    static func read(
        resultsOf task: LuaTask, scriptHash: String, _ worker: ScriptWorker
    ) throws(ScriptError) -> [LoadedPipeline] {
        guard let stack = task.results, stack.count > 0 else {
            try refuseForgotten(worker.state)
            return []
        }
        guard stack.type(at: 1) == .table else { return [] }
        try stack.reserve(20)
        let library = try TransformLibrary(worker.state)
        if let pipeline = try pipeline(at: 1, stack, library, scriptHash, worker) { return [pipeline] }
        return try list(stack, library, scriptHash, worker)
    }

    /// A script that returns nothing has forgotten the pipeline that it declares: it would not be run.
    private static func refuseForgotten(_ state: LuaState) throws(ScriptError) {
        let search = """
            local pipelines, script = package.loaded["replhost.pipeline"], arg and arg[0]
            if pipelines and script then return pipelines.first_declared_by(script) end
            """
        try state.load(search, named: "=pipelines")
        let stack = state.stack
        let hasFailed = rh_protected_call(stack.thread, 0, 2) != 0
        defer { stack.pop(hasFailed ? 1 : 2) }
        guard !hasFailed, let name = stack.string(at: -2) else { return }
        var error = ScriptError(
            code: "RH3108", "pipeline \"\(name)\" is declared and not returned: it would not be run",
            hint: "Write: return rh.pipeline \"\(name)\" { … }")
        error.fields["position"] = stack.string(at: -1).map { .string($0) }
        throw error
    }

    private static func list(
        _ stack: LuaStack, _ library: TransformLibrary, _ scriptHash: String, _ worker: ScriptWorker
    ) throws(ScriptError) -> [LoadedPipeline] {
        var pipelines: [LoadedPipeline] = []
        var stranger: (position: Int, description: String)?
        for position in 0..<stack.rawCount(at: 1) {
            stack.pushElement(position + 1, of: 1)
            defer { stack.pop() }
            if let pipeline = try pipeline(at: stack.count, stack, library, scriptHash, worker) {
                pipelines.append(pipeline)
            } else if stranger == nil {
                stranger = (position + 1, stack.describe(at: -1))
            }
        }
        if let stranger, !pipelines.isEmpty {
            throw ScriptError(
                code: "RH3104",
                "the script returned a list of pipelines with a \(stranger.description) in place \(stranger.position)",
                hint: "Return one pipeline or a list of pipelines.")
        }
        try requireUniqueNames(pipelines)
        return pipelines
    }

    private static func pipeline(
        at index: Int32, _ stack: LuaStack, _ library: TransformLibrary, _ scriptHash: String, _ worker: ScriptWorker
    ) throws(ScriptError) -> LoadedPipeline? {
        guard stack.type(at: index) == .table, let kind = stack.metatableAddress(at: index) else { return nil }
        if kind == library.unfinished {
            stack.getField("name", of: index)
            defer { stack.pop() }
            throw ScriptError(
                code: "RH3107", "pipeline \"\(stack.string(at: -1) ?? "")\" was returned without its options",
                hint: "Write rh.pipeline \"name\" { source = …, sink = …, tables = … }.")
        }
        guard kind == library.pipeline else { return nil }
        let reader = PipelineReader(at: index, of: stack, library)
        return try LoadedPipeline(reader, scriptHash: scriptHash, worker)
    }

    private static func requireUniqueNames(_ pipelines: [LoadedPipeline]) throws(ScriptError) {
        var names: Set<String> = []
        for pipeline in pipelines where !names.insert(pipeline.definition.name).inserted {
            throw ScriptError(
                code: "RH3106", "two pipelines are named \"\(pipeline.definition.name)\"",
                hint: "The name is what a pipeline's progress is kept under: give each its own.")
        }
    }
}

extension LuaScheduler {
    /// Returns when `task` has ended; its failure counts as seen. Cancelled, it ends the task and waits all the same.
    func end(of task: LuaTask) async {
        // At once: the task may end before anybody gets his turn.
        watch(task) {}
        await wait(for: task)
    }

    /// The explicit `isolation` keeps the closures on the loop.
    private func wait(for task: LuaTask, isolation: isolated (any Actor)? = #isolation) async {
        // Safe: used on the loop that the task lives on, where this runs and where the cancellation is posted to.
        nonisolated(unsafe) let (scheduler, task) = (self, task)
        await withTaskCancellationHandler {
            _ = isolation
            await withTaskExecutorPreference(scheduler.loop) {
                _ = isolation
                await withUnsafeContinuation { continuation in
                    scheduler.watch(task) { continuation.resume() }
                }
            }
        } onCancel: {
            scheduler.loop.post { scheduler.kill(task, .taskCancelled) }
        }
    }
}
