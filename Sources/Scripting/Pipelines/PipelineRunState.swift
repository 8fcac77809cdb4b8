import LuaRuntime
import Postgres
import Replication
import Synchronization

/// What other threads may ask of the pipelines that a host runs.
final class PipelineState: Sendable {
    struct Running: Sendable {
        var definition: PipelineDefinition
        var progress: CopyProgress
        var stream: StreamProgress?
        var control: StreamControl?
        var failure: RunFailure?
    }

    /// One that the file has returned.
    struct Pipeline: Sendable {
        let name: String
        let source: ConnectionPool
        let sink: ConnectionPool
    }

    private struct State {
        var pipelines: [Pipeline] = []
        var script: String?
        /// What the pipelines were loaded from.
        var files: [String: SourceStamp] = [:]
        var running: [Running] = []
        var renewed: [String: [CrewMember]] = [:]
        var besides: [Task<Void, Never>] = []
        var endWork: (@Sendable () -> Void)?
        var isCancelled = false
    }

    private let state = Mutex(State())

    var pipelines: [Pipeline] { state.withLock { $0.pipelines } }
    var names: [String] { pipelines.map(\.name) }
    var running: [Running] { state.withLock { $0.running } }
    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    var files: [String: SourceStamp] { state.withLock { $0.files } }

    /// The file's absolute path; nil if the script is no file.
    var script: String? { state.withLock { $0.script } }

    func note(_ pipelines: [Pipeline], of script: String?, _ files: [String: SourceStamp]) {
        state.withLock { state in
            state.pipelines = pipelines
            state.script = script
            state.files = files
        }
    }

    func note(files: [String: SourceStamp]) { state.withLock { $0.files = files } }

    func begin(
        _ definition: PipelineDefinition, _ progress: CopyProgress, _ stream: StreamProgress? = nil,
        _ control: StreamControl? = nil,
        _ failure: RunFailure? = nil
    ) {
        state.withLock {
            $0.running.append(
                Running(definition: definition, progress: progress, stream: stream, control: control, failure: failure))
        }
    }

    /// Of the pipeline's run.
    func failure(of name: String) -> RunFailure? { running.last { $0.name == name }?.failure }

    // MARK: Streams

    var isStreaming: Bool { running.contains { $0.isStreaming } }

    func isStreaming(_ name: String) -> Bool { running.contains { $0.name == name && $0.isStreaming } }

    /// Streams end after the transaction that is under way.
    func endStreams() { for running in running { running.control?.interrupt() } }

    /// The pipeline's stream goes on with these workers; those that it was to go on with before are given back.
    func renew(_ name: String, _ crew: [CrewMember]) -> [CrewMember] {
        let (surplus, control) = state.withLock { state in
            (state.renewed.updateValue(crew, forKey: name), state.running.last { $0.name == name }?.control)
        }
        control?.interrupt()
        return surplus ?? []
    }

    func takeRenewed(_ name: String) -> [CrewMember]? { state.withLock { $0.renewed.removeValue(forKey: name) } }

    /// Runs `body` beside the work, after what came before it in this way; `perform` waits for its end.
    func performBeside(_ body: @escaping @Sendable () async -> Void) {
        state.withLock { state in
            let earlier = state.besides.last
            state.besides.append(
                Task {
                    await earlier?.value
                    await body()
                })
        }
    }

    /// What was cancelled is over: what begins from now on goes on.
    func allowMore() { state.withLock { $0.isCancelled = false } }

    /// Ends what is under way and what begins later.
    func cancel() {
        let endWork = state.withLock { state in
            state.isCancelled = true
            return state.endWork
        }
        endWork?()
    }

    /// Runs `body` as the work that `cancel` ends.
    func perform<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) async -> Value {
        let task = Task { await body() }
        let isCancelled = state.withLock { state in
            state.endWork = { task.cancel() }
            return state.isCancelled
        }
        if isCancelled { task.cancel() }
        let value = await task.value
        let besides = state.withLock { state in
            state.endWork = nil
            return state.besides
        }
        for task in besides { await task.value }
        return value
    }
}

extension PipelineState.Running {
    var name: String { definition.name }

    /// And can be told to end; a cut-over's stream cannot, and is cancelled with it.
    fileprivate var isStreaming: Bool {
        guard let stream, control != nil else { return false }
        switch stream.state.phase {
        case .streaming, .waiting, .standby, .connecting: return true
        case .idle: return false
        }
    }
}

/// What ends a pipeline's run from the side: code of the script that nobody waits for has failed.
final class RunFailure: Sendable {
    private struct State {
        var first: LuaFailure?
        var work: Task<Void, Never>?
    }

    private let state = Mutex(State())

    var first: LuaFailure? { state.withLock { $0.first } }

    /// From any thread.
    func note(_ failure: LuaFailure) {
        let work = state.withLock { state in
            state.first = state.first ?? failure
            return state.work
        }
        work?.cancel()
    }

    /// Waits for `work`, which a failure cancels.
    func watch(_ work: Task<Void, Never>) async {
        let isDue = state.withLock { state in
            state.work = work
            return state.first != nil
        }
        if isDue { work.cancel() }
        await withTaskCancellationHandler {
            await work.value
        } onCancel: {
            work.cancel()
        }
    }
}
