/// Why a value could not be decoded or encoded. Never holds the value itself.
package enum CodecError: Error, Equatable, Sendable {
    /// A binary value of fixed length has another length.
    case wrongLength(ValueKind, expected: Int, found: Int)
    /// A binary value ends too early.
    case truncated(ValueKind, needed: Int, left: Int)
    /// A binary value breaks its own rules.
    case damaged(ValueKind, reason: String)
    /// A text form is not one of the type's.
    case malformed(ValueKind, reason: String)
    /// The value is fine, the type's range is not enough. The limits are inclusive.
    case outOfRange(ValueKind, lowest: String, highest: String)
    /// A Lua or Swift value of this sort cannot become that type.
    case notAssignable(ValueKind, from: String)
    /// The type's binary form is not known here or differs between clusters; its text form will do.
    case noPortableBinary(ValueKind)
}

extension CodecError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .wrongLength(let kind, let expected, let found):
            "binary value of type \"\(kind)\" needs \(expected) bytes, found \(found)"
        case .truncated(let kind, let needed, let left):
            "truncated binary value of type \"\(kind)\": \(needed) bytes needed, \(left) left"
        case .damaged(let kind, let reason):
            "damaged binary value of type \"\(kind)\": \(reason)"
        case .malformed(let kind, let reason):
            "invalid text form of type \"\(kind)\": \(reason)"
        case .outOfRange(let kind, let lowest, let highest):
            "value out of range for type \"\(kind)\" (\(lowest) to \(highest))"
        case .notAssignable(let kind, let source):
            "\(source) cannot be assigned to type \"\(kind)\""
        case .noPortableBinary(let kind):
            "type \"\(kind)\" has no portable binary form"
        }
    }
}
