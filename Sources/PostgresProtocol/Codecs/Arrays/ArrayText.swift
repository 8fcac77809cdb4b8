/// Whole arrays from one form into the other.
enum ArrayText {
    /// Appends the text form of a binary array.
    static func append(
        _ field: UnsafeRawBufferPointer, element: OID, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        try rewrite(try ArrayReader(field, element: element, format: .binary), to: &buffer)
    }

    /// Appends a text array with every element in its normal text form.
    static func appendNormalized(
        _ field: UnsafeRawBufferPointer, _ kind: ValueKind, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        guard case .array(let element) = kind else { return buffer.append(field) }
        try rewrite(try ArrayReader(field, element: element, format: .text), to: &buffer)
    }

    private static func rewrite(_ array: ArrayReader, to buffer: inout ByteBuffer) throws(CodecError) {
        var reader = array
        let kind = reader.elementKind
        var scratch = ByteBuffer()
        var writer = ArrayWriter(reader.shape, element: reader.element, format: .text, to: &buffer)
        while let next = try reader.next(&scratch) {
            switch next {
            case .null: writer.appendNull(to: &buffer)
            case .value(let bytes):
                try writer.append(to: &buffer) { (buffer) throws(CodecError) in
                    try FieldDecoder.appendText(bytes, kind, reader.format, to: &buffer)
                }
            }
        }
        try writer.finish(to: &buffer)
    }

    /// Appends the binary form of a text array.
    static func appendBinary(
        _ text: UnsafeRawBufferPointer, element: OID, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        var reader = try ArrayReader(text, element: element, format: .text)
        let kind = ValueKind(element)
        var scratch = ByteBuffer()
        var writer = ArrayWriter(reader.shape, element: element, format: .binary, to: &buffer)
        while let next = try reader.next(&scratch) {
            switch next {
            case .null: writer.appendNull(to: &buffer)
            case .value(let bytes):
                try writer.append(to: &buffer) { (buffer) throws(CodecError) in
                    try FieldEncoder.append(text: bytes, as: kind, .binary, to: &buffer)
                }
            }
        }
        try writer.finish(to: &buffer)
    }
}
