/// Decodes one field into a Swift scalar, from either form. No allocation, no copy.
///
/// `field` is the content of a field that is not NULL. A Lua row, a query result and a change all come through here, so
/// a value is the same on every path.
package enum FieldDecoder {
    @inlinable package static func boolean(
        _ field: UnsafeRawBufferPointer, _ format: DataFormat
    ) throws(CodecError) -> Bool {
        guard field.count == 1 else {
            if format == .text { return try BooleanText.parse(field) }
            throw .wrongLength(.boolean, expected: 1, found: field.count)
        }
        if format == .binary { return field[0] != 0 }
        switch field[0] {
        case UInt8(ascii: "t"): return true
        case UInt8(ascii: "f"): return false
        default: return try BooleanText.parse(field)
        }
    }

    /// Values of the kinds for which `isInteger` is true.
    @inlinable package static func integer(
        _ field: UnsafeRawBufferPointer, _ kind: ValueKind, _ format: DataFormat
    ) throws(CodecError) -> Int64 {
        if format == .text { return try IntegerText.parse(field, kind) }
        switch kind {
        case .int64:
            if field.count == 8 { return field.loadBigEndian(0, as: Int64.self) }
        case .int32:
            if field.count == 4 { return Int64(field.loadBigEndian(0, as: Int32.self)) }
        case .int16:
            if field.count == 2 { return Int64(field.loadBigEndian(0, as: Int16.self)) }
        case .oid:
            if field.count == 4 { return Int64(field.loadBigEndian(0, as: UInt32.self)) }
        default:
            throw .notAssignable(kind, from: "an integer")
        }
        throw .wrongLength(kind, expected: IntegerText.width(kind), found: field.count)
    }

    /// `float4` is widened exactly, so `0.1` reads as 0.10000000149011612 from both forms.
    @inlinable package static func float(
        _ field: UnsafeRawBufferPointer, _ kind: ValueKind, _ format: DataFormat
    ) throws(CodecError) -> Double {
        if format == .text { return try FloatText.parse(field, kind) }
        if case .float8 = kind {
            guard field.count == 8 else { throw .wrongLength(kind, expected: 8, found: field.count) }
            return Double(bitPattern: field.loadBigEndian(0, as: UInt64.self))
        }
        guard case .float4 = kind else { throw .notAssignable(kind, from: "a float") }
        guard field.count == 4 else { throw .wrongLength(kind, expected: 4, found: field.count) }
        return Double(Float(bitPattern: field.loadBigEndian(0, as: UInt32.self)))
    }
}
