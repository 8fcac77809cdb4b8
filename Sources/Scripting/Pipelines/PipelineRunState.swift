import Replication
import Synchronization

/// What other threads may ask of the pipelines that a host runs.
final class PipelineState: Sendable {
    private struct State {
        var names: [String] = []
        var running: [(name: String, progress: CopyProgress)] = []
        var endWork: (@Sendable () -> Void)?
        var isCancelled = false
    }

    private let state = Mutex(State())

    var names: [String] { state.withLock { $0.names } }
    var running: [(name: String, progress: CopyProgress)] { state.withLock { $0.running } }
    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    func note(_ names: [String]) { state.withLock { $0.names = names } }

    func begin(_ name: String, _ progress: CopyProgress) {
        state.withLock { $0.running.append((name, progress)) }
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
        state.withLock { $0.endWork = nil }
        return value
    }
}
