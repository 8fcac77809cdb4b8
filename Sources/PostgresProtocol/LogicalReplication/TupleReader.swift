/// Walks over the columns of a row without any allocation.
package struct TupleReader: ~Copyable {
    @usableFromInline let message: UnsafeRawBufferPointer
    @usableFromInline var position: Int
    @usableFromInline var columnsLeft: Int

    /// - Parameter message: the one that `tuple` was decoded from.
    @inlinable package init(_ tuple: TupleData, in message: UnsafeRawBufferPointer) {
        precondition(Int(tuple.offset) + Int(tuple.byteCount) <= message.count, "the row is of another message")
        self.message = message
        position = Int(tuple.offset)
        columnsLeft = tuple.columnCount
    }

    /// The next column, nil after the last one.
    @inlinable package mutating func next() -> TupleField? {
        guard columnsLeft > 0, let kind = TupleField.Kind(rawValue: message[position]) else { return nil }
        columnsLeft &-= 1
        position &+= 1
        guard kind.hasValue else { return TupleField(kind: kind, offset: UInt32(position), length: 0) }
        let length = message.loadBigEndian(position, as: UInt32.self)
        position &+= 4
        defer { position &+= Int(length) }
        return TupleField(kind: kind, offset: UInt32(truncatingIfNeeded: position), length: length)
    }
}

extension TupleData {
    /// Makes `fields` hold one entry for each column; allocates only when it has to grow.
    @inlinable package func readFields(in message: UnsafeRawBufferPointer, into fields: inout [TupleField]) {
        if fields.count > columnCount { fields.removeLast(fields.count &- columnCount) }
        while fields.count < columnCount { fields.append(TupleField(kind: .null, offset: 0, length: 0)) }
        fields.withUnsafeMutableBufferPointer { fields in
            var reader = TupleReader(self, in: message)
            for index in fields.indices {
                guard let field = reader.next() else { return }
                fields[index] = field
            }
        }
    }
}
