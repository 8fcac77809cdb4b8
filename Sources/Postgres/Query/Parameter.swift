package import PostgresProtocol

/// A value for `$1`, `$2`, …, typed as a literal of the same form would be.
package enum Parameter: Sendable, Equatable {
    case null
    case boolean(Bool)
    /// An `int4` if it fits, else an `int8`.
    case integer(Int64)
    case float(Double)
    /// Text form of a value whose type the server infers, as for a quoted literal. Where it infers `bytea`, the bytes
    /// themselves are the value.
    case text([UInt8])
    /// A `bytea`.
    case bytes([UInt8])
    /// Text form of a value of this type.
    case typed(OID, [UInt8])
    /// Binary (`typsend`) form of a value of this type.
    case binary(OID, [UInt8])

    /// Text form of a value whose type the server infers.
    package static func text(_ string: String) -> Parameter { .text(Array(string.utf8)) }
}

extension Parameter {
    /// What the statement is prepared with; `.invalid` leaves the type to the server.
    var declaredType: OID {
        switch self {
        case .null, .text: .invalid
        case .boolean: .bool
        case .integer(let value): Int32(exactly: value) == nil ? .int8 : .int4
        case .float: .float8
        case .bytes: .bytea
        case .typed(let type, _), .binary(let type, _): type
        }
    }
}
