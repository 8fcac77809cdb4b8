package import PostgresProtocol

/// Which cluster a walsender serves, and how far it has come (IDENTIFY_SYSTEM).
package struct SystemIdentity: Equatable, Sendable {
    /// Made by initdb; a clone has that of its original.
    package let systemIdentifier: String
    /// Goes up by one with every promotion.
    package let timeline: Int
    package let flushLSN: LSN
    package let database: String

    init(_ result: ResultSet) throws(PostgresError) {
        guard result.columns.count >= 4, let timeline = try result.number(0, 1) else {
            throw .unexpected("IDENTIFY_SYSTEM without a timeline")
        }
        systemIdentifier = try result.text(of: 0)
        self.timeline = timeline
        flushLSN = try result.position(of: 2)
        database = try result.text(of: 3)
    }
}

/// What CREATE_REPLICATION_SLOT has made.
package struct CreatedSlot: Equatable, Sendable {
    package let name: String
    /// Transactions that commit after it are streamed; those before it are in the snapshot.
    package let consistentPoint: LSN
    /// Nil unless it was asked for.
    package let snapshotName: String?

    init(_ result: ResultSet) throws(PostgresError) {
        guard result.columns.count >= 3 else { throw .unexpected("CREATE_REPLICATION_SLOT without a result") }
        name = try result.text(of: 0)
        consistentPoint = try result.position(of: 1)
        snapshotName = try result.string(0, 2)
    }
}

extension ResultSet {
    fileprivate func position(of column: Int) throws(PostgresError) -> LSN {
        guard let position = LSN(try text(of: column)) else {
            throw .unexpected("column \"\(columns[column].name)\" is no log position")
        }
        return position
    }
}
