/// A message of the `pgoutput` plugin, protocol version 1 (PostgreSQL manual, "Logical Replication Message Formats").
///
/// Rows, names and contents are checked here; rows stay where they are, and are read with `TupleReader` from the same
/// bytes. Begin, Commit, Insert, Update and Delete are decoded without an allocation.
package enum LogicalMessage: Equatable, Sendable {
    case begin(BeginMessage)
    case commit(CommitMessage)
    case origin(OriginMessage)
    case relation(RelationMessage)
    case type(TypeMessage)
    case insert(InsertMessage)
    case update(UpdateMessage)
    case delete(DeleteMessage)
    case truncate(TruncateMessage)
    case message(EmittedMessage)

    /// `bytes` is one whole message: `XLogData.payload`.
    package init(decoding bytes: UnsafeRawBufferPointer) throws(LogicalMessageError) {
        guard bytes.count <= Int32.max else { throw .tooLong(bytes: bytes.count) }
        guard let type = bytes.first else {
            throw .truncated(message: "logical replication", field: "type", needed: 1, left: 0)
        }
        self = try Self.decode(type, bytes)
    }

    /// Without a look at the rest of the message.
    package static func isCommit(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.first == UInt8(ascii: "C") }

    private static func decode(
        _ type: UInt8, _ bytes: UnsafeRawBufferPointer
    ) throws(LogicalMessageError) -> LogicalMessage {
        var reader = MessageReader(bytes, name(type))
        switch type {
        case UInt8(ascii: "I"): return .insert(try InsertMessage(&reader))
        case UInt8(ascii: "U"): return .update(try UpdateMessage(&reader))
        case UInt8(ascii: "D"): return .delete(try DeleteMessage(&reader))
        case UInt8(ascii: "B"): return .begin(try BeginMessage(&reader))
        case UInt8(ascii: "C"): return .commit(try CommitMessage(&reader))
        case UInt8(ascii: "R"): return .relation(try RelationMessage(&reader))
        case UInt8(ascii: "Y"): return .type(try TypeMessage(&reader))
        case UInt8(ascii: "T"): return .truncate(try TruncateMessage(&reader))
        case UInt8(ascii: "M"): return .message(try EmittedMessage(&reader))
        case UInt8(ascii: "O"): return .origin(try OriginMessage(&reader))
        default: throw refusal(of: type)
        }
    }

    private static func name(_ type: UInt8) -> StaticString {
        switch type {
        case UInt8(ascii: "I"): "Insert"
        case UInt8(ascii: "U"): "Update"
        case UInt8(ascii: "D"): "Delete"
        case UInt8(ascii: "B"): "Begin"
        case UInt8(ascii: "C"): "Commit"
        case UInt8(ascii: "R"): "Relation"
        case UInt8(ascii: "Y"): "Type"
        case UInt8(ascii: "T"): "Truncate"
        case UInt8(ascii: "M"): "Message"
        case UInt8(ascii: "O"): "Origin"
        default: "unknown"
        }
    }

    private static func refusal(of type: UInt8) -> LogicalMessageError {
        switch type {
        case UInt8(ascii: "S"): .unsupported(message: "Stream Start", version: 2)
        case UInt8(ascii: "E"): .unsupported(message: "Stream Stop", version: 2)
        case UInt8(ascii: "c"): .unsupported(message: "Stream Commit", version: 2)
        case UInt8(ascii: "A"): .unsupported(message: "Stream Abort", version: 2)
        case UInt8(ascii: "b"): .unsupported(message: "Begin Prepare", version: 3)
        case UInt8(ascii: "P"): .unsupported(message: "Prepare", version: 3)
        case UInt8(ascii: "K"): .unsupported(message: "Commit Prepared", version: 3)
        case UInt8(ascii: "r"): .unsupported(message: "Rollback Prepared", version: 3)
        case UInt8(ascii: "p"): .unsupported(message: "Stream Prepare", version: 3)
        default: .unknownMessage(type: type)
        }
    }
}
