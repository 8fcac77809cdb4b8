/// Appends an array in either form, element by element in row-major order: as many as the shape says, then `finish`.
package struct ArrayWriter {
    private let shape: ArrayShape
    private let format: DataFormat
    private let kind: ValueKind
    private let delimiter: UInt8
    private let start: Int
    private var index = 0
    private var hasNull = false

    /// Appends the header or the bounds.
    package init(_ shape: ArrayShape, element: OID, format: DataFormat, to buffer: inout ByteBuffer) {
        self.shape = shape
        self.format = format
        kind = .array(of: element)
        delimiter = ArrayTextScanner.delimiter(element)
        start = buffer.count
        if format == .binary {
            appendHeader(element, to: &buffer)
        } else if !shape.hasPlainBounds {
            appendBounds(to: &buffer)
        }
    }

    package mutating func appendNull(to buffer: inout ByteBuffer) {
        if format == .binary {
            buffer.append(bigEndian: Int32(-1))
            hasNull = true
        } else {
            openBraces(&buffer)
            buffer.append("NULL")
            closeBraces(&buffer)
        }
        index += 1
    }

    /// `encode` appends one element in the array's form, without length or quotes.
    package mutating func append(
        to buffer: inout ByteBuffer, _ encode: (inout ByteBuffer) throws(CodecError) -> Void
    ) throws(CodecError) {
        if format == .binary {
            let lengthAt = buffer.count
            buffer.append(bigEndian: Int32(0))
            try encode(&buffer)
            buffer.store(bigEndian: Int32(truncatingIfNeeded: buffer.count - lengthAt - 4), at: lengthAt)
        } else {
            openBraces(&buffer)
            let elementAt = buffer.count
            try encode(&buffer)
            quote(from: elementAt, &buffer)
            closeBraces(&buffer)
        }
        index += 1
    }

    /// Checks that every element came.
    package consuming func finish(to buffer: inout ByteBuffer) throws(CodecError) {
        guard index == shape.count else {
            throw .malformed(kind, reason: "\(index) elements for a shape of \(shape.count)")
        }
        if format == .binary {
            if hasNull { buffer.store(bigEndian: Int32(1), at: start + 4) }
        } else if shape.dimensions == 0 {
            buffer.append("{}")
        }
    }

    private func appendHeader(_ element: OID, to buffer: inout ByteBuffer) {
        buffer.append(bigEndian: Int32(shape.dimensions))
        buffer.append(bigEndian: Int32(0))
        buffer.append(bigEndian: element.rawValue)
        for dimension in 0..<shape.dimensions {
            buffer.append(bigEndian: Int32(shape.length(dimension)))
            buffer.append(bigEndian: Int32(shape.lowerBound(dimension)))
        }
    }

    private func appendBounds(to buffer: inout ByteBuffer) {
        for dimension in 0..<shape.dimensions {
            let lower = shape.lowerBound(dimension)
            buffer.append("[\(lower):\(lower + shape.length(dimension) - 1)]")
        }
        buffer.append(UInt8(ascii: "="))
    }

    private func openBraces(_ buffer: inout ByteBuffer) {
        if index > 0 { buffer.append(delimiter) }
        for _ in 0..<shape.bracesOpening(before: index) { buffer.append(UInt8(ascii: "{")) }
    }

    private func closeBraces(_ buffer: inout ByteBuffer) {
        for _ in 0..<shape.bracesOpening(before: index + 1) { buffer.append(UInt8(ascii: "}")) }
    }

    /// Quotes the bytes from `start` on where `array_out` does.
    private func quote(from start: Int, _ buffer: inout ByteBuffer) {
        let element = UnsafeRawBufferPointer(rebasing: buffer.bytes[start...])
        var escapes = 0
        var needsQuotes = element.isEmpty || ASCII.matches(element, "null")
        for byte in element {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { escapes &+= 1 }
            if byte == delimiter || byte == UInt8(ascii: "{") || byte == UInt8(ascii: "}") || ASCII.isSpace(byte) {
                needsQuotes = true
            }
        }
        guard needsQuotes || escapes > 0 else { return }
        Self.widen(&buffer, from: start, escapes: escapes)
    }

    /// Moves the element back to front into its place between quotes.
    private static func widen(_ buffer: inout ByteBuffer, from start: Int, escapes: Int) {
        let length = buffer.count - start
        let base = buffer.space(for: escapes + 2) - length
        buffer.advance(by: escapes + 2)
        var target = length + escapes + 1
        base.storeBytes(of: UInt8(ascii: "\""), toByteOffset: target, as: UInt8.self)
        var source = length
        while source > 0 {
            source -= 1
            target -= 1
            let byte = base.load(fromByteOffset: source, as: UInt8.self)
            base.storeBytes(of: byte, toByteOffset: target, as: UInt8.self)
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                target -= 1
                base.storeBytes(of: UInt8(ascii: "\\"), toByteOffset: target, as: UInt8.self)
            }
        }
        base.storeBytes(of: UInt8(ascii: "\""), as: UInt8.self)
    }
}
