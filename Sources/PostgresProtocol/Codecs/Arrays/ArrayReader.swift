/// An element as `ArrayReader` hands it out. The bytes are valid until the next one is taken.
package enum ArrayElement {
    case null
    case value(UnsafeRawBufferPointer)
}

/// Walks over an array in either form: the shape is known at once, elements come one by one in row-major order and in the
/// form of the array.
package struct ArrayReader {
    package let shape: ArrayShape
    package let element: OID
    package let format: DataFormat
    private let field: UnsafeRawBufferPointer
    private let kind: ValueKind
    private var position: Int
    private var left: Int

    /// `element` is the declared element type; a binary array's own header has the last word.
    package init(_ field: UnsafeRawBufferPointer, element: OID, format: DataFormat) throws(CodecError) {
        self.field = field
        self.format = format
        kind = .array(of: element)
        if format == .binary {
            (shape, self.element) = try Self.header(field, .array(of: element))
            position = 12 + 8 * shape.dimensions
        } else {
            var scanner = ArrayTextScanner(field, element: element)
            shape = try scanner.measure()
            self.element = element
            position = scanner.bodyStart
        }
        left = shape.count
    }

    package var elementKind: ValueKind { ValueKind(element) }

    /// The next element, nil after the last one. `scratch` is emptied, and may hold the element then.
    package mutating func next(_ scratch: inout ByteBuffer) throws(CodecError) -> ArrayElement? {
        guard left > 0 else { return nil }
        left &-= 1
        if format == .binary {
            let element = try nextBinary()
            if left == 0, position != field.count {
                throw .damaged(kind, reason: "\(field.count - position) bytes after the last element")
            }
            return element
        }
        var scanner = ArrayTextScanner(field, element: element, position: position)
        defer { position = scanner.position }
        return try scanner.nextElement(&scratch)
    }

    private mutating func nextBinary() throws(CodecError) -> ArrayElement {
        let rest = field.count &- position
        guard rest >= 4 else { throw .truncated(kind, needed: 4, left: rest) }
        let length = Int(field.loadBigEndian(position, as: Int32.self))
        position &+= 4
        guard length >= 0 else {
            guard length == -1 else { throw .damaged(kind, reason: "negative element length") }
            return .null
        }
        guard length <= rest &- 4 else { throw .truncated(kind, needed: length, left: rest - 4) }
        defer { position &+= length }
        return .value(UnsafeRawBufferPointer(rebasing: field[position..<(position &+ length)]))
    }

    private static func header(
        _ field: UnsafeRawBufferPointer, _ kind: ValueKind
    ) throws(CodecError) -> (ArrayShape, OID) {
        guard field.count >= 12 else { throw .truncated(kind, needed: 12, left: field.count) }
        let dimensions = Int(field.loadBigEndian(0, as: Int32.self))
        let flags = field.loadBigEndian(4, as: Int32.self)
        guard (0...ArrayShape.maximumDimensions).contains(dimensions), flags == 0 || flags == 1 else {
            throw .damaged(kind, reason: "impossible header")
        }
        let headerSize = 12 + 8 * dimensions
        guard field.count >= headerSize else { throw .truncated(kind, needed: headerSize, left: field.count) }
        guard dimensions > 0 || field.count == headerSize else {
            throw .damaged(kind, reason: "\(field.count - headerSize) bytes after the header")
        }
        var shape = ArrayShape.empty
        for index in 0..<dimensions {
            let length = Int(field.loadBigEndian(12 + 8 * index, as: Int32.self))
            // A dimension without elements makes an empty array.
            guard length != 0 else { return (.empty, OID(field.loadBigEndian(8, as: UInt32.self))) }
            guard shape.append(length: length, lowerBound: Int(field.loadBigEndian(16 + 8 * index, as: Int32.self)))
            else { throw .damaged(kind, reason: "impossible dimensions") }
        }
        guard field.count - headerSize >= 4 * shape.count else {
            throw .truncated(kind, needed: 4 * shape.count, left: field.count - headerSize)
        }
        return (shape, OID(field.loadBigEndian(8, as: UInt32.self)))
    }
}
