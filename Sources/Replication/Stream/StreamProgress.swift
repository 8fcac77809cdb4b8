package import PostgresProtocol
import Synchronization

/// How far a stream is: written by the engine, read by whoever shows it.
package final class StreamProgress: Sendable {
    package enum Phase: Sendable {
        /// The copy comes first.
        case idle
        case connecting
        /// Another replhost runs the pipeline.
        case standby
        case streaming
        /// A server is out of reach.
        case waiting
    }

    package struct State: Sendable {
        package var phase = Phase.idle
        package var note: String?
        package var transactions = 0
        package var changes = 0
        /// Everything before it is in the target.
        package var position = LSN.zero
        /// There was nothing to apply before it; what is past the position is written down now and then only.
        package var reached = LSN.zero
        /// Of the source's log, as far as it has told.
        package var serverEnd = LSN.zero
        /// On the source, of the last transaction applied; microseconds from 2000 on.
        package var commitTime: Int64?
        /// The last heartbeat's way from the source and back.
        package var heartbeat: Duration?
        package var lostHeartbeats = 0
        /// Those that are followed.
        package var tables: [(source: QualifiedName, target: QualifiedName)] = []
        /// By table of the target.
        package var applied: [QualifiedName: ChangeCounts] = [:]
        /// Batches that were given up and written once more.
        package var replays = 0
        /// Batches that began while others before them were being written.
        package var overlaps = 0
        /// Bytes of log that the source keeps for the slot, when it was last asked.
        package var retained: Int?
        /// By table of the target.
        package var conflicts: [QualifiedName: ConflictCounts] = [:]
        package var movedAt = ContinuousClock.now
        /// When everything that the source had told of was in the target last.
        package fileprivate(set) var caughtUpAt = ContinuousClock.now

        /// Bytes of the source's log that are not in the target yet.
        package var lag: Int64 { max(0, serverEnd.distance(from: max(position, reached))) }
    }

    private let shared = Mutex(State())
    package let started = ContinuousClock.now

    package init() {}

    package var state: State { shared.withLock { $0 } }

    func enter(_ phase: Phase, note: String? = nil) {
        shared.withLock { state in
            state.phase = phase
            state.note = note
        }
    }

    func update(_ change: (inout State) -> Void) {
        shared.withLock { state in
            change(&state)
            if state.lag == 0 { state.caughtUpAt = .now }
        }
    }
}
