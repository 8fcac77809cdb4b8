import Crypto
import Glibc
import Synchronization

/// A UUID (RFC 9562).
package struct Identifier: Equatable, Sendable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Sets version and variant over the bits given.
    private init(version: UInt64, high: UInt64, low: UInt64) {
        self.high = high & ~0xF000 | version << 12
        self.low = low & ~(3 << 62) | 2 << 62
    }

    /// Version 4: 122 random bits.
    package static func random() -> Identifier {
        var generator = SystemRandomNumberGenerator()
        return Identifier(version: 4, high: generator.next(), low: generator.next())
    }

    /// Milliseconds and 4096ths of one of the last version 7, in this process.
    private static let lastTime = Atomic<UInt64>(0)

    /// Version 7: 48 bits of Unix milliseconds, 12 of the fraction, 62 random. Strictly increasing
    /// within the process.
    package static func ordered() -> Identifier {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let milliseconds = UInt64(now.tv_sec) * 1000 + UInt64(now.tv_nsec) / 1_000_000
        let ticks = milliseconds << 12 | (UInt64(now.tv_nsec) % 1_000_000) << 12 / 1_000_000
        var last = lastTime.load(ordering: .relaxed)
        while true {
            let next = max(ticks, last + 1)
            let (exchanged, original) = lastTime.compareExchange(expected: last, desired: next, ordering: .relaxed)
            if exchanged { return ordered(atTicks: next) }
            last = original
        }
    }

    private static func ordered(atTicks ticks: UInt64) -> Identifier {
        var generator = SystemRandomNumberGenerator()
        return Identifier(version: 7, high: (ticks >> 12) << 16 | ticks & 0xFFF, low: generator.next())
    }

    /// Version 5: SHA-1 of a namespace and a name.
    package static func named(_ name: UnsafeRawBufferPointer, in namespace: Identifier) -> Identifier {
        var hash = Insecure.SHA1()
        withUnsafeBytes(of: (namespace.high.bigEndian, namespace.low.bigEndian)) { hash.update(bufferPointer: $0) }
        hash.update(bufferPointer: name)
        return hash.finalize().withUnsafeBytes { bytes in
            Identifier(
                version: 5, high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }

    /// The namespaces of RFC 9562, section 6.6.
    package static func namespace(_ name: String) -> Identifier? {
        let first: UInt64
        switch name {
        case "dns": first = 0x6BA7_B810
        case "url": first = 0x6BA7_B811
        case "oid": first = 0x6BA7_B812
        case "x500": first = 0x6BA7_B814
        default: return nil
        }
        return Identifier(high: first << 32 | 0x9DAD_11D1, low: 0x80B4_00C0_4FD4_30C8)
    }

    /// Reads 32 hexadecimal digits in either case with hyphens in any place between pairs, also in
    /// braces, as PostgreSQL does (which wants them after each fourth digit at most).
    package init?(text: UnsafeRawBufferPointer) {
        var digits = text[...]
        if digits.first == UInt8(ascii: "{"), digits.last == UInt8(ascii: "}") {
            digits = digits.dropFirst().dropLast()
        }
        var halves: (UInt64, UInt64) = (0, 0)
        var count = 0
        for byte in digits {
            if byte == UInt8(ascii: "-"), count > 0, count < 32, count.isMultiple(of: 4) { continue }
            guard let value = Hexadecimal.value(of: byte), count < 32 else { return nil }
            halves.0 = halves.0 << 4 | halves.1 >> 60
            halves.1 = halves.1 << 4 | UInt64(value)
            count += 1
        }
        guard count == 32, digits.last != UInt8(ascii: "-") else { return nil }
        self.init(high: halves.0, low: halves.1)
    }

    /// Bits 48 to 51, as written in the text form.
    package var version: Int { Int(high >> 12 & 15) }

    /// Lower case with hyphens.
    package var description: String {
        String(unsafeUninitializedCapacity: 36) { output in
            var index = 0
            for place in 0..<32 {
                if place == 8 || place == 12 || place == 16 || place == 20 {
                    output[index] = UInt8(ascii: "-")
                    index += 1
                }
                let half = place < 16 ? high : low
                output[index] = Hexadecimal.digit(UInt8(truncatingIfNeeded: half >> UInt64(60 - 4 * (place % 16))) & 15)
                index += 1
            }
            return index
        }
    }
}
