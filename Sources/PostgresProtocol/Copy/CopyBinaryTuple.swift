/// One row of binary COPY: a field count (Int16), then for each field its length (Int32, -1 for NULL) and bytes.
/// A view: valid as long as the memory under it.
public struct CopyBinaryTuple {
    public let bytes: UnsafeRawBufferPointer
    public let fieldCount: Int

    /// Checks the count only; each reader checks lengths as it comes to them.
    @inlinable public init(_ bytes: UnsafeRawBufferPointer) throws(CopyError) {
        guard bytes.count >= 2 else { throw .truncatedTuple(needed: 2, left: bytes.count) }
        let count = bytes.loadBigEndian(0, as: Int16.self)
        guard count >= 0 else { throw .wrongFieldCount(expected: 0, found: Int(count)) }
        self.bytes = bytes
        fieldCount = Int(count)
    }

    /// Calls `body` with index and content (nil for NULL) of every field, in order.
    @inlinable public func forEachField(
        _ body: (Int, UnsafeRawBufferPointer?) -> Void
    ) throws(CopyError) {
        var position = 2
        for index in 0..<fieldCount {
            let length = try Self.length(ofField: index, in: bytes, at: position)
            position &+= 4
            guard length >= 0 else {
                body(index, nil)
                continue
            }
            body(index, UnsafeRawBufferPointer(rebasing: bytes[position..<(position + length)]))
            position &+= length
        }
        guard position == bytes.count else { throw .excessBytes(bytes.count - position) }
    }

    /// The length prefix at `position`, once it and the field behind it are known to be there; -1 for NULL, -2 for a
    /// column of a change that was not sent (never in COPY itself).
    @inlinable public static func length(
        ofField field: Int, in bytes: UnsafeRawBufferPointer, at position: Int
    ) throws(CopyError) -> Int {
        let left = bytes.count &- position
        guard left >= 4 else { throw error(ofField: field, in: bytes, at: position) }
        let length = bytes.loadBigEndian(position, as: Int32.self)
        guard length >= -2, Int(length) <= left &- 4 else { throw error(ofField: field, in: bytes, at: position) }
        return Int(length)
    }

    /// What is wrong with the length prefix at `position`.
    @inline(never) @usableFromInline static func error(
        ofField field: Int, in bytes: UnsafeRawBufferPointer, at position: Int
    ) -> CopyError {
        let left = bytes.count - position
        guard left >= 4 else { return .truncatedField(field: field, needed: 4, left: left) }
        let length = bytes.loadBigEndian(position, as: Int32.self)
        guard Int(length) > left - 4 else { return .badFieldLength(field: field, length: length) }
        return .truncatedField(field: field, needed: Int(length), left: left - 4)
    }
}
