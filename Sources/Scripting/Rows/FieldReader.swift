import LuaRuntime
import PostgresProtocol

/// Turns a field's bytes into the Lua value that stands for it; the same on every path that rows come by.
struct FieldReader: ~Copyable {
    private var scratch = ByteBuffer(capacity: 256)
    private var elementScratch = ByteBuffer(capacity: 64)

    /// Pushes one value; nil is NULL.
    @inline(__always)
    mutating func push(
        _ field: UnsafeRawBufferPointer?, _ kind: ValueKind, _ format: DataFormat, to stack: LuaStack
    ) throws(CodecError) {
        guard let field else { return stack.pushNil() }
        switch kind {
        case .text: stack.push(bytes: field)
        case .int16, .int32, .int64, .oid: stack.push(try FieldDecoder.integer(field, kind, format))
        case .boolean: stack.push(try FieldDecoder.boolean(field, format))
        case .float4, .float8: stack.push(try FieldDecoder.float(field, kind, format))
        default: try pushOther(field, kind, format, to: stack)
        }
    }

    private mutating func pushOther(
        _ field: UnsafeRawBufferPointer, _ kind: ValueKind, _ format: DataFormat, to stack: LuaStack
    ) throws(CodecError) {
        switch kind {
        case .numeric: DecimalUserdata.push(try decimal(field, format), on: stack.thread)
        case .jsonb where format == .binary: stack.push(bytes: try FieldDecoder.json(field))
        case .bytea where format == .binary: stack.push(bytes: field)
        case .bytea:
            scratch.removeAll()
            try FieldDecoder.appendBytes(field, format, to: &scratch)
            stack.push(bytes: scratch.bytes)
        case .array(let element): try pushArray(field, element, format, to: stack)
        case .other: stack.push(bytes: field)
        default:
            scratch.removeAll(keepingAtMost: 1 << 16)
            try FieldDecoder.appendText(field, kind, format, to: &scratch)
            stack.push(bytes: scratch.bytes)
        }
    }

    private func decimal(_ field: UnsafeRawBufferPointer, _ format: DataFormat) throws(CodecError) -> Decimal {
        do {
            return format == .binary ? try Decimal(binary: field) : try Decimal(text: field)
        } catch {
            throw .malformed(.numeric, reason: "\(error)")
        }
    }

    /// A table with `n` and JSON's mark of an array, NULL elements as `rh.null`, one table for each dimension; `bounds` holds the lower bounds if
    /// they are not 1.
    private mutating func pushArray(
        _ field: UnsafeRawBufferPointer, _ element: OID, _ format: DataFormat, to stack: LuaStack
    ) throws(CodecError) {
        var reader = try ArrayReader(field, element: element, format: format)
        let shape = reader.shape
        guard shape.dimensions > 0 else {
            stack.pushTable(fieldCount: 1)
            stack.push(Int64(0))
            stack.setField("n", of: -2)
            return ValueLibrary.markArray(on: stack)
        }
        try pushDimension(0, shape, &reader, to: stack)
        guard !shape.hasPlainBounds else { return }
        stack.pushTable(arrayCount: shape.dimensions)
        for dimension in 0..<shape.dimensions {
            stack.push(Int64(shape.lowerBound(dimension)))
            stack.setElement(dimension + 1, of: -2)
        }
        stack.setField("bounds", of: -2)
    }

    private mutating func pushDimension(
        _ dimension: Int, _ shape: ArrayShape, _ reader: inout ArrayReader, to stack: LuaStack
    ) throws(CodecError) {
        let length = shape.length(dimension)
        stack.pushTable(arrayCount: length, fieldCount: 1)
        for index in 0..<length {
            if dimension + 1 < shape.dimensions {
                try pushDimension(dimension + 1, shape, &reader, to: stack)
            } else {
                try pushElement(&reader, to: stack)
            }
            stack.setElement(index + 1, of: -2)
        }
        stack.push(Int64(length))
        stack.setField("n", of: -2)
        ValueLibrary.markArray(on: stack)
    }

    private mutating func pushElement(_ reader: inout ArrayReader, to stack: LuaStack) throws(CodecError) {
        guard case .value(let bytes) = try reader.next(&elementScratch) else { return stack.pushNull() }
        try push(bytes, reader.elementKind, reader.format, to: stack)
    }
}
