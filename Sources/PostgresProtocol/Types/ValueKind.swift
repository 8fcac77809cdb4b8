/// What a value of some type is for us: chooses the codec and the Lua type.
package enum ValueKind: Hashable, Sendable {
    case boolean
    case int16
    case int32
    case int64
    case oid
    case float4
    case float8
    case numeric
    /// Both forms are the characters themselves: text, varchar, bpchar, name, xml, json, unknown; also labels of an enum,
    /// citext and the like when the catalog says so.
    case text
    /// The internal one-byte type `"char"`.
    case char
    case jsonb
    case bytea
    case date
    case time
    case timetz
    case timestamp
    case timestamptz
    case interval
    case uuid
    case inet
    case cidr
    case macaddr
    case macaddr8
    case pgLSN
    case bit
    case varbit
    /// An array whose element type is built in.
    case array(of: OID)
    /// Anything else: known by its text form only.
    case other
}

extension ValueKind {
    /// The kind of a built-in type; `.other` for what a cluster defined itself.
    package init(_ type: OID) {
        if let scalar = Self.scalar(type.rawValue) {
            self = scalar
        } else if let element = type.element {
            self = .array(of: element)
        } else {
            self = .other
        }
    }

    private static func scalar(_ type: UInt32) -> ValueKind? {
        switch type {
        case 16: .boolean
        case 17: .bytea
        case 18: .char
        case 19, 25, 114, 142, 705, 1042, 1043, 1790, 2275: .text
        case 20: .int64
        case 21: .int16
        case 23: .int32
        case 26: .oid
        case 650: .cidr
        case 700: .float4
        case 701: .float8
        case 774: .macaddr8
        case 829: .macaddr
        case 869: .inet
        case 1082: .date
        case 1083: .time
        case 1114: .timestamp
        case 1184: .timestamptz
        case 1186: .interval
        case 1266: .timetz
        case 1560: .bit
        case 1562: .varbit
        case 1700: .numeric
        case 2950: .uuid
        case 3220: .pgLSN
        case 3802: .jsonb
        default: nil
        }
    }

    /// The binary form is decoded here and means the same in every cluster.
    package var hasPortableBinary: Bool {
        switch self {
        case .other: false
        case .array(let element): ValueKind(element).isPortableElement
        default: true
        }
    }

    private var isPortableElement: Bool {
        switch self {
        case .other, .array: false
        default: true
        }
    }

    package var isInteger: Bool {
        self == .int16 || self == .int32 || self == .int64 || self == .oid
    }
}

extension OID {
    /// The type's binary form is decoded here and means the same in every cluster. Types a cluster defined itself are
    /// never portable by their OID alone; the catalog may give their `ValueKind` (an enum's is `.text`).
    package var hasPortableBinary: Bool { ValueKind(self).hasPortableBinary }
}

extension ValueKind: CustomStringConvertible {
    /// The type's name as PostgreSQL's `format_type` prints it.
    package var description: String {
        switch self {
        case .boolean: "boolean"
        case .int16: "smallint"
        case .int32: "integer"
        case .int64: "bigint"
        case .oid: "oid"
        case .float4: "real"
        case .float8: "double precision"
        case .numeric: "numeric"
        case .text: "text"
        case .char: "\"char\""
        case .jsonb: "jsonb"
        case .bytea: "bytea"
        case .date: "date"
        case .time: "time without time zone"
        case .timetz: "time with time zone"
        case .timestamp: "timestamp without time zone"
        case .timestamptz: "timestamp with time zone"
        case .interval: "interval"
        case .uuid: "uuid"
        case .inet: "inet"
        case .cidr: "cidr"
        case .macaddr: "macaddr"
        case .macaddr8: "macaddr8"
        case .pgLSN: "pg_lsn"
        case .bit: "bit"
        case .varbit: "bit varying"
        case .array(let element): "\(ValueKind(element))[]"
        case .other: "other"
        }
    }
}
