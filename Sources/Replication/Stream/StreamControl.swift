package import PostgresProtocol
import Synchronization

/// When a stream ends, and what it was asked meanwhile; from any thread.
package final class StreamControl: Sendable {
    /// Why a stream has ended, with everything applied that came before.
    package enum End: Sendable, Equatable {
        /// It has reached the position that it was to reach.
        case caughtUp
        /// Somebody wants it to begin anew: another file, another table to copy.
        case interrupted
        /// Somebody else takes the pipeline over.
        case handedOver
    }

    private struct State {
        var goal: LSN?
        var interruption: End?
        var bell: (@Sendable () -> Void)?
        var heartbeats: [Int: ContinuousClock.Instant] = [:]
        var returned: Duration?
    }

    private let state = Mutex(State())

    /// The stream ends when it has caught up with what the source had when it began.
    let isOnce: Bool

    package init(once isOnce: Bool = false) { self.isOnce = isOnce }

    /// The stream ends when everything before `goal` is applied.
    package func finish(at goal: LSN) { set { $0.goal = goal } }

    var hasGoal: Bool { state.withLock { $0.goal != nil } }

    /// The stream ends after the transaction that is under way.
    package func interrupt() { set { $0.interruption = .interrupted } }

    /// The same, for good.
    func handOver() { set { $0.interruption = .handedOver } }

    private func set(_ change: (inout State) -> Void) {
        let bell = state.withLock { state in
            change(&state)
            return state.bell
        }
        bell?()
    }

    // MARK: For the engine

    func begin(ringing bell: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.bell = bell
            state.interruption = nil
        }
    }

    var wantedEnd: End? { state.withLock { $0.interruption } }

    func end(at position: LSN) -> End? {
        state.withLock { state in
            state.interruption ?? (state.goal.map { position >= $0 } ?? false ? .caughtUp : nil)
        }
    }

    // MARK: Heartbeats

    static let prefix = "replhost"
    /// A message by which others ask for the position to be written at once.
    static let positionRequest = "position"

    func noteSent(heartbeat number: Int, _ time: ContinuousClock.Instant) {
        state.withLock { $0.heartbeats[number] = time }
    }

    func noteHeartbeat(_ content: String) {
        guard let number = Int(content) else { return }
        let now = ContinuousClock.now
        state.withLock { state in
            guard let sent = state.heartbeats.removeValue(forKey: number) else { return }
            state.returned = now - sent
            // Earlier ones have been lost with an earlier connection.
            state.heartbeats = state.heartbeats.filter { $0.key > number }
        }
    }

    /// How long the last heartbeat took, and how many have not come back in `patience`.
    func heartbeats(_ patience: Duration) -> (returned: Duration?, lost: Int) {
        let now = ContinuousClock.now
        return state.withLock { state in (state.returned, state.heartbeats.values.count { now - $0 > patience }) }
    }
}
