package struct InsertMessage: Equatable, Sendable {
    package let relation: OID
    package let new: TupleData

    init(_ reader: inout MessageReader) throws(LogicalMessageError) {
        relation = try reader.oid("relation")
        let kind = try reader.integer("tuple_kind", as: UInt8.self)
        guard kind == UInt8(ascii: "N") else { throw reader.wrongTupleKind(kind) }
        new = try TupleData(&reader)
        try reader.end()
    }
}

/// The row before an update or delete, as far as the replica identity goes.
package enum OldTuple: Equatable, Sendable {
    /// Of the key's columns alone; the others are NULL.
    case key(TupleData)
    /// All columns (REPLICA IDENTITY FULL).
    case full(TupleData)

    /// Nil if `kind` is another one.
    fileprivate init?(kind: UInt8, _ reader: inout MessageReader) throws(LogicalMessageError) {
        switch kind {
        case UInt8(ascii: "K"): self = .key(try TupleData(&reader))
        case UInt8(ascii: "O"): self = .full(try TupleData(&reader))
        default: return nil
        }
    }

    package var tuple: TupleData {
        switch self {
        case .key(let tuple), .full(let tuple): tuple
        }
    }
}

package struct UpdateMessage: Equatable, Sendable {
    package let relation: OID
    /// Nil if the key has not changed: then it is that of `new`.
    package let old: OldTuple?
    package let new: TupleData

    init(_ reader: inout MessageReader) throws(LogicalMessageError) {
        relation = try reader.oid("relation")
        var kind = try reader.integer("tuple_kind", as: UInt8.self)
        old = try OldTuple(kind: kind, &reader)
        if old != nil { kind = try reader.integer("tuple_kind", as: UInt8.self) }
        guard kind == UInt8(ascii: "N") else { throw reader.wrongTupleKind(kind) }
        new = try TupleData(&reader)
        try reader.end()
    }
}

package struct DeleteMessage: Equatable, Sendable {
    package let relation: OID
    package let old: OldTuple

    init(_ reader: inout MessageReader) throws(LogicalMessageError) {
        relation = try reader.oid("relation")
        let kind = try reader.integer("tuple_kind", as: UInt8.self)
        guard let old = try OldTuple(kind: kind, &reader) else { throw reader.wrongTupleKind(kind) }
        self.old = old
        try reader.end()
    }
}

package struct TruncateMessage: Equatable, Sendable {
    package let cascades: Bool
    package let restartsIdentity: Bool
    /// All tables of one TRUNCATE that are published.
    package let relations: [OID]

    init(_ reader: inout MessageReader) throws(LogicalMessageError) {
        let count = try reader.integer("relation_count", as: UInt32.self)
        let flags = try reader.integer("flags", as: UInt8.self)
        guard flags <= 3 else { throw reader.damaged("flags", "is \(flags), expected 0 to 3") }
        guard count <= reader.left / 4 else {
            throw reader.damaged("relation_count", "is \(count), \(reader.left) bytes left")
        }
        cascades = flags & 1 != 0
        restartsIdentity = flags & 2 != 0
        var relations: [OID] = []
        for _ in 0..<count { relations.append(try reader.oid("relation")) }
        self.relations = relations
        try reader.end()
    }
}

extension MessageReader {
    @inline(never) fileprivate func wrongTupleKind(_ kind: UInt8) -> LogicalMessageError {
        damaged("tuple_kind", "is 0x\(String(kind, radix: 16))")
    }
}
