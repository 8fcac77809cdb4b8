extension FieldDecoder {
    /// Appends PostgreSQL's text form of a field, the same for both forms it may have come in: a `timestamptz` is in UTC,
    /// `bytea` is hexadecimal. What the text form of another kind says is taken as it is.
    package static func appendText(
        _ field: UnsafeRawBufferPointer, _ kind: ValueKind, _ format: DataFormat, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        if format == .text { return try appendNormalized(field, kind, to: &buffer) }
        switch kind {
        case .text: buffer.append(field)
        case .timestamp, .timestamptz:
            guard field.count == 8 else { throw .wrongLength(kind, expected: 8, found: field.count) }
            DateTimeText.append(
                timestamp: field.loadBigEndian(0, as: Int64.self), isUTC: kind == .timestamptz, to: &buffer)
        case .numeric: try NumericText.append(field, to: &buffer)
        case .int16, .int32, .int64, .oid: IntegerText.append(try integer(field, kind, .binary), to: &buffer)
        case .uuid: try UUIDText.append(field, to: &buffer)
        case .jsonb: buffer.append(try json(field))
        case .bytea: ByteaText.append(field, to: &buffer)
        case .boolean: buffer.append(UInt8(ascii: try boolean(field, .binary) ? "t" : "f"))
        case .float4: FloatText.append(Float(try float(field, kind, .binary)), to: &buffer)
        case .float8: FloatText.append(try float(field, kind, .binary), to: &buffer)
        case .date, .time, .timetz, .interval: try appendTemporal(field, kind, to: &buffer)
        case .inet, .cidr: try NetworkText.append(field, kind, to: &buffer)
        case .macaddr, .macaddr8: try MACAddressText.append(field, kind, to: &buffer)
        case .bit, .varbit: try BitText.append(field, kind, to: &buffer)
        case .char: try appendCharacter(field, to: &buffer)
        case .pgLSN: try appendLSN(field, to: &buffer)
        case .array(let element): try ArrayText.append(field, element: element, to: &buffer)
        case .other: throw .noPortableBinary(kind)
        }
    }

    /// The characters of a `jsonb` or `json` field without a copy; those of `jsonb` follow a version byte.
    package static func json(_ field: UnsafeRawBufferPointer) throws(CodecError) -> UnsafeRawBufferPointer {
        guard let version = field.first else { throw .truncated(.jsonb, needed: 1, left: 0) }
        guard version == 1 else { throw .damaged(.jsonb, reason: "unknown version") }
        return UnsafeRawBufferPointer(rebasing: field[1...])
    }

    /// Appends the raw bytes of a `bytea` field. (A binary field is these bytes already.)
    package static func appendBytes(
        _ field: UnsafeRawBufferPointer, _ format: DataFormat, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        if format == .binary { return buffer.append(field) }
        try ByteaText.appendBinary(field, to: &buffer)
    }

    /// Microseconds from 2000-01-01 (UTC for `timestamptz`); `.max` and `.min` are the infinities.
    package static func timestamp(
        _ field: UnsafeRawBufferPointer, _ kind: ValueKind, _ format: DataFormat
    ) throws(CodecError) -> Int64 {
        if format == .text { return try DateTimeReader.timestamp(field, kind) }
        guard field.count == 8 else { throw .wrongLength(kind, expected: 8, found: field.count) }
        return field.loadBigEndian(0, as: Int64.self)
    }

    private static func appendTemporal(
        _ field: UnsafeRawBufferPointer, _ kind: ValueKind, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        let width = kind == .date ? 4 : kind == .time ? 8 : kind == .timetz ? 12 : 16
        guard field.count == width else { throw .wrongLength(kind, expected: width, found: field.count) }
        switch kind {
        case .date: DateTimeText.append(date: field.loadBigEndian(0, as: Int32.self), to: &buffer)
        case .time: try DateTimeText.append(time: field.loadBigEndian(0, as: Int64.self), to: &buffer)
        case .timetz:
            try DateTimeText.append(
                time: field.loadBigEndian(0, as: Int64.self), secondsWest: field.loadBigEndian(8, as: Int32.self),
                to: &buffer)
        default:
            let value = IntervalValue(
                months: field.loadBigEndian(12, as: Int32.self), days: field.loadBigEndian(8, as: Int32.self),
                microseconds: field.loadBigEndian(0, as: Int64.self))
            IntervalText.append(value, to: &buffer)
        }
    }

    /// `"char"`: the byte itself, nothing for zero, and `\ooo` above 127.
    private static func appendCharacter(
        _ field: UnsafeRawBufferPointer, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        guard field.count == 1 else { throw .wrongLength(.char, expected: 1, found: field.count) }
        let byte = field[0]
        guard byte > 0 else { return }
        guard byte >= 0x80 else { return buffer.append(byte) }
        buffer.append([UInt8(ascii: "\\"), 0x30 | byte >> 6, 0x30 | byte >> 3 & 7, 0x30 | byte & 7])
    }

    private static func appendLSN(_ field: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) throws(CodecError) {
        guard field.count == 8 else { throw .wrongLength(.pgLSN, expected: 8, found: field.count) }
        buffer.append(LSN(field.loadBigEndian(0, as: UInt64.self)).description)
    }
}

// MARK: - From text

extension FieldDecoder {
    private static func appendNormalized(
        _ field: UnsafeRawBufferPointer, _ kind: ValueKind, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        switch kind {
        case .timestamptz where !isUTC(field):
            DateTimeText.append(timestamp: try DateTimeReader.timestamp(field, kind), isUTC: true, to: &buffer)
        case .bytea where !isHex(field):
            let start = buffer.count
            try ByteaText.appendBinary(field, to: &buffer)
            let raw = Array(buffer.bytes[start...])
            buffer.truncate(to: start)
            raw.withUnsafeBytes { ByteaText.append($0, to: &buffer) }
        case .array(.timestamptz), .array(.bytea): try ArrayText.appendNormalized(field, kind, to: &buffer)
        default: buffer.append(field)
        }
    }

    /// As the server prints with `TimeZone` UTC: ends with `+00`, or `+00 BC`, or is an infinity.
    private static func isUTC(_ field: UnsafeRawBufferPointer) -> Bool {
        let count = field.count
        guard count >= 8 else { return false }
        if field[count - 3] == UInt8(ascii: "+") { return field[count - 2] == 0x30 && field[count - 1] == 0x30 }
        if field[count - 1] == UInt8(ascii: "y") { return true }
        return field[count - 1] == UInt8(ascii: "C") && field[count - 6] == UInt8(ascii: "+")
            && field[count - 5] == 0x30 && field[count - 4] == 0x30
    }

    private static func isHex(_ field: UnsafeRawBufferPointer) -> Bool {
        field.count >= 2 && field[0] == UInt8(ascii: "\\") && field[1] == UInt8(ascii: "x")
    }
}
