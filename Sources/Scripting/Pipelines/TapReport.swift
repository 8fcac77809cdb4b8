package import PostgresProtocol
import Replication

/// A change of a source as it passes, before and after a pipeline's function.
package struct TapReport: Sendable {
    package typealias Fields = [(column: String, value: String?)]

    package struct Output: Sendable {
        /// "insert", "update", "delete", "truncate": what is done to the target.
        package var operation: String
        package var table: QualifiedName
        /// Of a delete, what the row is found by.
        package var row: Fields
        /// What a row is found by whose key changes; else empty.
        package var oldKey: Fields
    }

    package var pipeline: String
    /// The same words, of the source.
    package var operation: String
    package var table: QualifiedName
    package var key: Fields
    /// As the function gets it, under the source's names.
    package var before: Fields
    /// Columns that were not sent, as the update has not changed them.
    package var unchanged: [String]
    /// In order; empty if nothing is written.
    package var after: [Output]
    package var failure: FailureReport?
    package var xid: UInt32
    /// Of the commit.
    package var lsn: String
    /// On the source, in UTC.
    package var commitTime: String
}

extension TapReport {
    init(_ change: TapChange, _ pipeline: String, _ report: (ReplicationError) -> FailureReport) {
        self.init(
            pipeline: pipeline, operation: change.operation.rawValue, table: change.table, key: change.key,
            before: change.before, unchanged: change.unchanged, after: change.after.map(Output.init),
            failure: change.failure.map(report), xid: change.xid, lsn: change.lsn.description,
            commitTime: RowFacts.text(ofTimestamp: change.commitTime))
    }
}

extension TapReport.Output {
    fileprivate init(_ output: TapChange.Output) {
        self.init(
            operation: output.operation.rawValue, table: output.table, row: output.fields, oldKey: output.oldKey)
    }
}
