import Replication
import Synchronization

/// What other threads may ask of the pipelines that a host runs.
final class PipelineState: Sendable {
    struct Running: Sendable {
        var name: String
        var progress: CopyProgress
        var stream: StreamProgress?
        var control: StreamControl?
    }

    private struct State {
        var names: [String] = []
        var running: [Running] = []
        var renewed: [String: [CrewMember]] = [:]
        var besides: [Task<Void, Never>] = []
        var endWork: (@Sendable () -> Void)?
        var isCancelled = false
    }

    private let state = Mutex(State())

    var names: [String] { state.withLock { $0.names } }
    var running: [Running] { state.withLock { $0.running } }
    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    func note(_ names: [String]) { state.withLock { $0.names = names } }

    func begin(
        _ name: String, _ progress: CopyProgress, _ stream: StreamProgress? = nil, _ control: StreamControl? = nil
    ) {
        state.withLock {
            $0.running.append(Running(name: name, progress: progress, stream: stream, control: control))
        }
    }

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

    /// Runs `body` beside the work; `perform` waits for its end.
    func performBeside(_ body: @escaping @Sendable () async -> Void) {
        let task = Task { await body() }
        state.withLock { $0.besides.append(task) }
    }

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
    fileprivate var isStreaming: Bool {
        guard let stream else { return false }
        switch stream.state.phase {
        case .streaming, .waiting, .standby, .connecting: return true
        case .idle: return false
        }
    }
}
