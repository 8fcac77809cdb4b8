package import PostgresProtocol
import Synchronization

/// How far a copy is: written by its workers, read by whoever shows it.
package final class CopyProgress: Sendable {
    package enum Phase: Sendable {
        case connecting
        case preparing
        case creating
        case copying
        case verifying
        case finishing
        case waiting
        case done
    }

    package struct Table: Sendable {
        package var source: QualifiedName
        package var target: QualifiedName
        package var estimatedRows: Int?
        package var chunks: Int
        package var chunksDone: Int
        /// Of the chunks that are done, and of those under way.
        package var rows: Int
        package var bytes: Int
        /// Rows that were put aside, of the chunks that are done.
        package var deadLetters: Int
        package var chunksRunning: Int
        /// An earlier run had copied it.
        package var isKept: Bool
    }

    package struct State: Sendable {
        package var phase = Phase.connecting
        package var note: String?
        package var tables: [Table] = []
        package var steps = 0
        package var stepsDone = 0
        /// Why it had to begin again last.
        package var failure: (error: ReplicationError, at: ContinuousClock.Instant)?
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

    func update(_ change: (inout State) -> Void) { shared.withLock { change(&$0) } }

    func update(table index: Int, _ change: (inout Table) -> Void) {
        shared.withLock { change(&$0.tables[index]) }
    }
}

/// One chunk's share of the progress, and of what the throttle allows.
final class ChunkMeter {
    private let progress: CopyProgress
    private let throttle: Throttle
    private let table: Int
    private var rows = 0
    private var bytes = 0

    init(_ progress: CopyProgress, _ throttle: Throttle, table: Int) {
        self.progress = progress
        self.throttle = throttle
        self.table = table
        progress.update(table: table) { $0.chunksRunning += 1 }
    }

    /// How long to wait before more is read.
    func add(rows: Int, bytes: Int) -> Duration? {
        self.rows += rows
        self.bytes += bytes
        progress.update(table: table) {
            $0.rows += rows
            $0.bytes += bytes
        }
        return throttle.take(rows: rows, bytes: bytes)
    }

    func finish(_ counts: ChunkOutput.Counts = ChunkOutput.Counts()) {
        progress.update(table: table) {
            $0.chunksRunning -= 1
            $0.chunksDone += 1
            $0.deadLetters += counts.deadLetters
        }
    }

    /// The chunk's transaction was rolled back.
    func undo() {
        progress.update(table: table) { [rows, bytes] in
            $0.chunksRunning -= 1
            $0.rows -= rows
            $0.bytes -= bytes
        }
    }
}
