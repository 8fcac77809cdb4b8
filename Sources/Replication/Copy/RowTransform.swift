package import EventLoops
package import Postgres
package import PostgresProtocol

/// One of the threads that copy: an event loop with what the script's functions need. Used on its loop but for `actor`.
package protocol PipelineWorker: AnyObject, Sendable {
    nonisolated var actor: LoopActor { get }
    /// Safe to call from any thread; the same pools in every worker, unless they depend on functions of the script.
    var source: ConnectionPool { get }
    var sink: ConnectionPool { get }
    /// Nil if rows go through as they are.
    func makeTransform(_ mapping: TableMapping) throws(ReplicationError) -> (any RowTransform)?
}

/// The script's function for the rows of a table, in one worker. Lives on the worker's loop.
package protocol RowTransform: AnyObject {
    /// Takes all rows of `input` and writes what becomes of them to `output`, until the input ends. Throws
    /// `.transform` when a row fails and the policy is to stop; `ReplicationError`s of input and output as they are.
    func run(_ input: any RowInput, _ output: ChunkOutput) async throws(ReplicationError)
}

/// Rows of one table on their way to a transform: on one loop, one after the other.
package protocol RowInput: AnyObject {
    /// The columns of each row, with the format they are in.
    var columns: [InputColumn] { get }
    /// Does not wait.
    func next() throws(ReplicationError) -> RowInputStep
    /// After `.pending`: returns when `next()` is worth asking.
    func wait() async throws(ReplicationError)
}

package enum RowInputStep {
    /// A message of COPY with one row, in the format of `columns`; valid until the next call.
    case row(UnsafeRawBufferPointer)
    case pending
    case end
}

package struct InputColumn: Sendable, Equatable {
    package var name: String
    package var type: OID
    package var kind: ValueKind
    package var format: DataFormat

    package init(name: String, type: OID, kind: ValueKind, format: DataFormat) {
        self.name = name
        self.type = type
        self.kind = kind
        self.format = format
    }
}
