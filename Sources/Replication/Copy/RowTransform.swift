package import EventLoops
package import Postgres
package import PostgresProtocol

/// One of the threads that copy: an event loop with what the script's functions need. Used on its loop but for `actor`.
package protocol PipelineWorker: AnyObject, Sendable {
    nonisolated var actor: LoopActor { get }
    /// Safe to call from any thread; the same pools in every worker, unless they depend on functions of the script.
    var source: ConnectionPool { get }
    var sink: ConnectionPool { get }
    /// SQL for a session of the target, after a semicolon; or nothing.
    var sinkSettings: String { get }
    /// Nil if rows go through as they are.
    func makeTransform(_ mapping: TableMapping) throws(ReplicationError) -> (any RowTransform)?
    /// What the script's function says of a table of the source that has changed; asked where the pipeline has one.
    func policy(for change: SchemaChange) async throws(ReplicationError) -> StreamOptions.SchemaPolicy
    /// Changes of a stream are in the target.
    func committed(_ commit: StreamCommit) async
}

extension PipelineWorker {
    package var sinkSettings: String { "" }
}

/// What a transaction of the target brings a stream to.
package struct StreamCommit: Sendable {
    package var position: LSN
    /// On the source, of the last transaction; microseconds from 2000 on.
    package var commitTime: Int64?
    package var transactions = 0
    package var changes = 0
    /// Rows that the target had already, or did not have, where the pipeline lets that pass.
    package var conflicts = 0
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
    /// Rows are fields behind their lengths, as in binary COPY, whatever format the fields have; else lines of text.
    var isFramed: Bool { get }
    /// Does not wait.
    func next() throws(ReplicationError) -> RowInputStep
    /// After `.pending`: returns when `next()` is worth asking.
    func wait() async throws(ReplicationError)
}

/// Changes of one table on their way to a transform. A row is what is there after the change; of a deleted one its
/// identity. A length of -2 stands for a column that the source has not sent.
package protocol ChangeInput: RowInput {
    /// Of the row that came last.
    var change: ChangeFacts { get }
    /// As it was before, if the source has sent that.
    var oldRow: UnsafeRawBufferPointer? { get }
}

/// What is known of a change beside its rows.
package struct ChangeFacts: Sendable {
    package enum Operation: String, Sendable {
        case insert
        case update
        case delete
    }

    package var operation: Operation
    /// Of the commit.
    package var lsn: LSN
    package var xid: UInt32
    /// On the source; microseconds from 2000 on.
    package var commitTime: Int64
}

package enum RowInputStep {
    /// One row; valid until the next call.
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
