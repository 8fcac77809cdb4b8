/// Bytes that grow at the end and are used again and again without a new allocation.
///
/// Pointers into it (`bytes`, `space(for:)`) are valid until the next call that may grow it.
///
/// Public, as all that rows go through is: the compiler inlines nothing in another module that is `package`.
public struct ByteBuffer: ~Copyable {
    @usableFromInline var base: UnsafeMutableRawPointer
    @usableFromInline var used: Int
    @usableFromInline var size: Int

    public init(capacity: Int = 64) {
        size = max(capacity, 16)
        base = .allocate(byteCount: size, alignment: 16)
        used = 0
    }

    deinit {
        base.deallocate()
    }

    @inlinable public var count: Int { used }
    @inlinable public var isEmpty: Bool { used == 0 }
    @inlinable public var capacity: Int { size }

    /// The content. Valid until the next mutation.
    @inlinable public var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base, count: used)
    }

    /// The content as a string; broken UTF-8 is repaired.
    public var string: String { String(decoding: bytes, as: UTF8.self) }

    /// Empties it and keeps the memory.
    @inlinable public mutating func removeAll() {
        used = 0
    }

    /// Empties it and gives memory above `limit` bytes back.
    public mutating func removeAll(keepingAtMost limit: Int) {
        used = 0
        guard size > limit else { return }
        base.deallocate()
        size = max(limit, 16)
        base = .allocate(byteCount: size, alignment: 16)
    }

    /// Cuts the end off.
    @inlinable public mutating func truncate(to count: Int) {
        used = min(used, max(count, 0))
    }

    /// Drops the first `count` bytes.
    public mutating func removeFirst(_ count: Int) {
        let dropped = min(count, used)
        base.copyMemory(from: base + dropped, byteCount: used - dropped)
        used -= dropped
    }

    /// Makes room for `count` more bytes.
    @inlinable public mutating func reserve(_ count: Int) {
        if size &- used < count { grow(count) }
    }

    @inline(never) @usableFromInline mutating func grow(_ count: Int) {
        let newSize = max(size * 2, used + count)
        let newBase = UnsafeMutableRawPointer.allocate(byteCount: newSize, alignment: 16)
        newBase.copyMemory(from: base, byteCount: used)
        base.deallocate()
        base = newBase
        size = newSize
    }

    /// Where the next `count` bytes may be written; `advance(by:)` then takes them in.
    @inlinable public mutating func space(for count: Int) -> UnsafeMutableRawPointer {
        reserve(count)
        return base + used
    }

    /// Takes in `count` bytes written to `space(for:)`.
    @inlinable public mutating func advance(by count: Int) {
        assert(count >= 0 && used + count <= size)
        used &+= count
    }
}

extension ByteBuffer {
    @inlinable public mutating func append(_ byte: UInt8) {
        reserve(1)
        base.storeBytes(of: byte, toByteOffset: used, as: UInt8.self)
        used &+= 1
    }

    @inlinable public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        (base + used).copyMemory(from: source, byteCount: bytes.count)
        used &+= bytes.count
    }

    @inlinable public mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    public mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    public mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append($0) }
    }

    /// In network byte order.
    @inlinable public mutating func append<Integer: FixedWidthInteger>(bigEndian value: Integer) {
        reserve(MemoryLayout<Integer>.size)
        base.storeBytes(of: value.bigEndian, toByteOffset: used, as: Integer.self)
        used &+= MemoryLayout<Integer>.size
    }

    /// Overwrites bytes that are there already: a length that became known.
    @inlinable public mutating func store<Integer: FixedWidthInteger>(bigEndian value: Integer, at offset: Int) {
        precondition(offset >= 0 && offset + MemoryLayout<Integer>.size <= used)
        base.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Integer.self)
    }
}

extension UnsafeRawBufferPointer {
    /// An integer in network byte order at `offset`, which the caller has checked.
    @inlinable public func loadBigEndian<Integer: FixedWidthInteger>(_ offset: Int, as: Integer.Type) -> Integer {
        Integer(bigEndian: loadUnaligned(fromByteOffset: offset, as: Integer.self))
    }
}
