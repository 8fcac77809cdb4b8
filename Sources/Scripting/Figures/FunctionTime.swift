import EventLoops
import Postgres
import PostgresProtocol
import Replication
import Synchronization

/// What the functions of all workers have taken for the rows of one table.
final class FunctionTime: Sendable {
    private let rowCount = Atomic<Int>(0)
    private let nanosecondCount = Atomic<Int>(0)

    var rows: Int { rowCount.load(ordering: .relaxed) }
    var time: Duration { .nanoseconds(nanosecondCount.load(ordering: .relaxed)) }

    func add(rows: Int, nanoseconds: Int) {
        rowCount.wrappingAdd(rows, ordering: .relaxed)
        nanosecondCount.wrappingAdd(nanoseconds, ordering: .relaxed)
    }
}

/// Those of a process, which its workers share.
final class FunctionTimes: Sendable {
    private struct Key: Hashable {
        let pipeline: String
        let source: QualifiedName
    }

    private let times = Mutex<[Key: FunctionTime]>([:])

    /// Of a table of the source; made when it is first asked for.
    func time(of pipeline: String, _ source: QualifiedName) -> FunctionTime {
        times.withLock { times in
            let key = Key(pipeline: pipeline, source: source)
            if let known = times[key] { return known }
            let made = FunctionTime()
            times[key] = made
            return made
        }
    }

    /// Nil if there was no function yet.
    func known(_ pipeline: String, _ source: QualifiedName) -> FunctionTime? {
        times.withLock { $0[Key(pipeline: pipeline, source: source)] }
    }
}

/// Measures a function by samples: a look at the clock for each row would cost what is measured. What the function waits
/// for counts.
struct FunctionStopwatch {
    private static let stride = 32

    /// A batch is measured whenever the function is called.
    private let isBatch: Bool
    private let total: FunctionTime
    private var started: Int64?
    private var rows = 0
    private var samples = 0
    private var nanoseconds: Int64 = 0

    init(_ total: FunctionTime, isBatch: Bool) {
        self.total = total
        self.isBatch = isBatch
    }

    /// The function gets a row now.
    @inline(__always)
    mutating func begin() {
        if isBatch || rows % Self.stride == 0 { started = MonotonicTime.now.nanoseconds }
        rows &+= 1
    }

    /// The batch is as large as it gets.
    mutating func beginBatch() { if isBatch { started = MonotonicTime.now.nanoseconds } }

    /// The function has answered.
    @inline(__always)
    mutating func end() {
        guard let started else { return }
        note(since: started)
    }

    /// What began was no call.
    mutating func forget() { started = nil }

    private mutating func note(since started: Int64) {
        nanoseconds += MonotonicTime.now.nanoseconds - started
        samples += 1
        self.started = nil
    }

    /// Adds what was measured to the total.
    mutating func hand() {
        let measured = isBatch ? nanoseconds : samples > 0 ? nanoseconds * Int64(rows) / Int64(samples) : 0
        total.add(rows: rows, nanoseconds: Int(measured))
        (rows, samples, nanoseconds) = (0, 0, 0)
    }
}
