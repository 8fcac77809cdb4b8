/// The first message of a transaction. A transaction comes whole, after its commit, in commit order.
package struct BeginMessage: Equatable, Sendable {
    /// Where its commit record begins: `CommitMessage.commitLSN`.
    package let finalLSN: LSN
    /// Microseconds since 2000-01-01 UTC.
    package let commitTime: Int64
    package let xid: UInt32

    init(_ reader: inout MessageReader) throws(LogicalMessageError) {
        finalLSN = try reader.lsn("final_lsn")
        commitTime = try reader.integer("commit_time")
        xid = try reader.integer("xid")
        try reader.end()
    }
}

/// The last message of a transaction.
package struct CommitMessage: Equatable, Sendable {
    /// Where the commit record begins.
    package let commitLSN: LSN
    /// Behind the commit record: the position to confirm once the transaction is applied.
    package let endLSN: LSN
    /// Microseconds since 2000-01-01 UTC.
    package let commitTime: Int64

    init(_ reader: inout MessageReader) throws(LogicalMessageError) {
        let flags = try reader.integer("flags", as: UInt8.self)
        guard flags == 0 else { throw reader.damaged("flags", "is \(flags), expected 0") }
        commitLSN = try reader.lsn("commit_lsn")
        endLSN = try reader.lsn("end_lsn")
        commitTime = try reader.integer("commit_time")
        try reader.end()
    }
}

/// The transaction came to the server from elsewhere.
package struct OriginMessage: Equatable, Sendable {
    /// Of the commit on the server that it came from.
    package let commitLSN: LSN
    package let name: String

    init(_ reader: inout MessageReader) throws(LogicalMessageError) {
        commitLSN = try reader.lsn("commit_lsn")
        name = try reader.string("name")
        try reader.end()
    }
}

/// What `pg_logical_emit_message` wrote.
package struct EmittedMessage: Equatable, Sendable {
    /// Else it was sent at once, outside of any transaction.
    package let isTransactional: Bool
    package let lsn: LSN
    package let prefix: String
    /// From the start of the message.
    package let content: Range<Int>

    init(_ reader: inout MessageReader) throws(LogicalMessageError) {
        let flags = try reader.integer("flags", as: UInt8.self)
        guard flags <= 1 else { throw reader.damaged("flags", "is \(flags), expected 0 or 1") }
        isTransactional = flags == 1
        lsn = try reader.lsn("lsn")
        prefix = try reader.string("prefix")
        let length = try reader.integer("content_length", as: Int32.self)
        guard length >= 0 else { throw reader.damaged("content_length", "is \(length)") }
        let start = reader.position
        try reader.skip(Int(length), "content")
        content = start..<reader.position
        try reader.end()
    }
}
