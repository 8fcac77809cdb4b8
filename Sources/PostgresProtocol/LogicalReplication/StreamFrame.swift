/// What one CopyData message of a replication stream holds (PostgreSQL manual, "Streaming Replication Protocol").
package enum StreamFrame {
    case data(XLogData)
    case keepalive(Keepalive)

    /// `bytes` is the content of a whole CopyData message.
    package init(decoding bytes: UnsafeRawBufferPointer) throws(LogicalMessageError) {
        switch bytes.first {
        case UInt8(ascii: "w"): self = .data(try XLogData(bytes))
        case UInt8(ascii: "k"): self = .keepalive(try Keepalive(bytes))
        case let type?: throw .unknownFrame(type: type)
        case nil: throw .truncated(message: "replication stream", field: "type", needed: 1, left: 0)
        }
    }
}

/// A piece of the stream: with `pgoutput`, one message.
package struct XLogData {
    /// Of the record that the payload comes from; zero for some messages, such as Relation.
    package let start: LSN
    /// The end of the log on the server.
    package let serverEnd: LSN
    /// The server's clock when it sent this, in microseconds since 2000-01-01 UTC.
    package let serverTime: Int64
    /// A view: valid as long as the memory under it.
    package let payload: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) throws(LogicalMessageError) {
        var reader = MessageReader(bytes, "XLogData")
        start = try reader.lsn("start_lsn")
        serverEnd = try reader.lsn("end_lsn")
        serverTime = try reader.integer("send_time")
        payload = UnsafeRawBufferPointer(rebasing: bytes[reader.position...])
    }
}

/// A sign of life from the server.
package struct Keepalive: Equatable, Sendable {
    /// Everything up to here has been sent, or did not have to be.
    package let serverEnd: LSN
    /// The server's clock when it sent this, in microseconds since 2000-01-01 UTC.
    package let serverTime: Int64
    /// A `StandbyStatus` is to be sent at once, or the server will take the connection for dead.
    package let isReplyRequested: Bool

    init(_ bytes: UnsafeRawBufferPointer) throws(LogicalMessageError) {
        var reader = MessageReader(bytes, "Primary keepalive")
        serverEnd = try reader.lsn("end_lsn")
        serverTime = try reader.integer("send_time")
        isReplyRequested = try reader.integer("reply_requested", as: UInt8.self) != 0
        try reader.end()
    }
}
