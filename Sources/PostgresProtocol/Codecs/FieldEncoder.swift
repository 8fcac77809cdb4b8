/// Appends the content of a field (no length, no COPY escapes) for a target type, in the form that the target takes.
///
/// After an error the buffer may hold part of the value: cut it back with `truncate(to:)`.
package enum FieldEncoder {
    package static func append(
        _ value: Bool, as kind: ValueKind, _ format: DataFormat, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        guard kind == .boolean else { throw .notAssignable(kind, from: "a boolean") }
        if format == .binary {
            buffer.append(value ? 1 : 0)
        } else {
            buffer.append(UInt8(ascii: value ? "t" : "f"))
        }
    }

    /// For integer types, floats and `numeric`.
    @inlinable package static func append(
        _ value: Int64, as kind: ValueKind, _ format: DataFormat, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        guard kind.isInteger else { return try appendOther(value, as: kind, format, to: &buffer) }
        let checked = try IntegerText.checked(value, kind)
        if format == .text { return IntegerText.append(checked, to: &buffer) }
        switch kind {
        case .int16: buffer.append(bigEndian: Int16(truncatingIfNeeded: checked))
        case .int64: buffer.append(bigEndian: checked)
        default: buffer.append(bigEndian: Int32(truncatingIfNeeded: checked))
        }
    }

    /// For floats, and for integer types when there is no fraction. `numeric` is exact and takes no float.
    package static func append(
        _ value: Double, as kind: ValueKind, _ format: DataFormat, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        switch kind {
        case .float8:
            if format == .text { return FloatText.append(value, to: &buffer) }
            buffer.append(bigEndian: value.bitPattern)
        case .float4:
            let narrow = Float(value)
            guard narrow.isFinite || !value.isFinite else { throw FloatText.outOfRange(kind) }
            if format == .text { return FloatText.append(narrow, to: &buffer) }
            buffer.append(bigEndian: narrow.bitPattern)
        case _ where kind.isInteger:
            try append(try whole(value, kind), as: kind, format, to: &buffer)
        default: throw .notAssignable(kind, from: "a float")
        }
    }

    /// From PostgreSQL's text form. The text format takes it as it is, and the server judges.
    package static func append(
        text: UnsafeRawBufferPointer, as kind: ValueKind, _ format: DataFormat, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        if format == .text { return buffer.append(text) }
        switch kind {
        case .text: buffer.append(text)
        case .int16, .int32, .int64, .oid:
            try append(try IntegerText.parse(text, kind), as: kind, .binary, to: &buffer)
        case .float4, .float8: try append(try FloatText.parse(text, kind), as: kind, .binary, to: &buffer)
        case .boolean: buffer.append(try FieldDecoder.boolean(text, .text) ? 1 : 0)
        case .numeric: try NumericText.appendBinary(text, to: &buffer)
        case .date, .time, .timetz, .timestamp, .timestamptz, .interval:
            try appendTemporal(text, as: kind, to: &buffer)
        case .jsonb:
            buffer.append(1)
            buffer.append(text)
        case .bytea: try ByteaText.appendBinary(text, to: &buffer)
        case .uuid: try UUIDText.appendBinary(text, to: &buffer)
        case .inet, .cidr: try NetworkText.appendBinary(text, kind, to: &buffer)
        case .macaddr, .macaddr8: try MACAddressText.appendBinary(text, kind, to: &buffer)
        case .bit, .varbit: try BitText.appendBinary(text, kind, to: &buffer)
        case .char: buffer.append(try character(text))
        case .pgLSN:
            guard let lsn = LSN(text: ASCII.trimmed(text)) else { throw .malformed(kind, reason: "expected \"X/Y\"") }
            buffer.append(bigEndian: lsn.rawValue)
        case .array(let element): try ArrayText.appendBinary(text, element: element, to: &buffer)
        case .other: throw .noPortableBinary(kind)
        }
    }

    /// Raw bytes for `bytea`.
    package static func append(
        bytes: UnsafeRawBufferPointer, as kind: ValueKind, _ format: DataFormat, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        guard kind == .bytea else { throw .notAssignable(kind, from: "raw bytes") }
        if format == .binary { return buffer.append(bytes) }
        ByteaText.append(bytes, to: &buffer)
    }

    /// Microseconds from 2000-01-01 (UTC for `timestamptz`); `.max` and `.min` are the infinities.
    package static func append(
        timestamp microseconds: Int64, as kind: ValueKind, _ format: DataFormat, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        guard kind == .timestamp || kind == .timestamptz else { throw .notAssignable(kind, from: "a timestamp") }
        if format == .binary { return buffer.append(bigEndian: microseconds) }
        DateTimeText.append(timestamp: microseconds, isUTC: kind == .timestamptz, to: &buffer)
    }
}

extension FieldEncoder {
    package static func appendOther(
        _ value: Int64, as kind: ValueKind, _ format: DataFormat, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        switch kind {
        case .numeric:
            if format == .text { return IntegerText.append(value, to: &buffer) }
            NumericText.appendBinary(value, to: &buffer)
        case .float4, .float8: try append(Double(value), as: kind, format, to: &buffer)
        default: throw .notAssignable(kind, from: "an integer")
        }
    }

    private static func whole(_ value: Double, _ kind: ValueKind) throws(CodecError) -> Int64 {
        guard !value.isNaN else { throw .notAssignable(kind, from: "NaN") }
        guard value >= -0x1p63, value < 0x1p63 else { throw IntegerText.outOfRange(kind) }
        let whole = Int64(value)
        guard Double(whole) == value else { throw .notAssignable(kind, from: "a float with a fraction") }
        return whole
    }

    private static func appendTemporal(
        _ text: UnsafeRawBufferPointer, as kind: ValueKind, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        switch kind {
        case .date: buffer.append(bigEndian: try DateTimeReader.date(text))
        case .time: buffer.append(bigEndian: try DateTimeReader.time(text, kind).microseconds)
        case .timetz:
            let (microseconds, east) = try DateTimeReader.time(text, kind)
            buffer.append(bigEndian: microseconds)
            buffer.append(bigEndian: Int32(-east))
        case .interval:
            let value = try IntervalText.parse(text)
            buffer.append(bigEndian: value.microseconds)
            buffer.append(bigEndian: value.days)
            buffer.append(bigEndian: value.months)
        default: buffer.append(bigEndian: try DateTimeReader.timestamp(text, kind))
        }
    }

    private static func character(_ text: UnsafeRawBufferPointer) throws(CodecError) -> UInt8 {
        guard let first = text.first else { return 0 }
        if text.count == 1 { return first }
        guard text.count == 4, first == UInt8(ascii: "\\"), text[1] & 0xFC == 0x30, text[2] & 0xF8 == 0x30,
            text[3] & 0xF8 == 0x30
        else { throw .malformed(.char, reason: "more than one byte") }
        return (text[1] & 3) << 6 | (text[2] & 7) << 3 | text[3] & 7
    }
}
