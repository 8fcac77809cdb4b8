import Crypto

/// HMAC-SHA-256 with the key's share of the work done once.
///
/// `Crypto.HMAC` takes the key anew for each message, which is four compressions where two do; masks
/// run per row.
struct KeyedHash {
    private let inner: SHA256
    private let outer: SHA256

    init(key: UnsafeRawBufferPointer) {
        var block = [UInt8](repeating: 0, count: 64)
        if key.count > 64 {
            var hash = SHA256()
            hash.update(bufferPointer: key)
            for (index, byte) in hash.finalize().enumerated() { block[index] = byte }
        } else {
            for (index, byte) in key.enumerated() { block[index] = byte }
        }
        inner = Self.started(with: block, mixing: 0x36)
        outer = Self.started(with: block, mixing: 0x5C)
    }

    private static func started(with block: [UInt8], mixing mask: UInt8) -> SHA256 {
        var hash = SHA256()
        block.map { $0 ^ mask }.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return hash
    }

    /// The 32 bytes for `label` followed by `message`.
    func digest(label: StaticString = "", _ message: UnsafeRawBufferPointer) -> SHA256.Digest {
        var hash = inner
        if label.utf8CodeUnitCount > 0 {
            hash.update(bufferPointer: UnsafeRawBufferPointer(start: label.utf8Start, count: label.utf8CodeUnitCount))
        }
        hash.update(bufferPointer: message)
        let first = hash.finalize()
        hash = outer
        first.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return hash.finalize()
    }
}
