import Crypto

/// Replaces personal values by others of the same form, the same value always by the same one.
///
/// Each function takes the value's bytes and gives the bytes of the replacement. `hash` is plain
/// HMAC-SHA-256, so that SQL can compute it as well; the others hash under a label of their own, so
/// that masks of one value under one key do not betray each other.
enum Mask {
    /// Sixteen characters of hash (80 bits) at `domain`: distinct addresses stay distinct.
    static func email(_ value: UnsafeRawBufferPointer, _ hash: KeyedHash, domain: UnsafeRawBufferPointer) -> [UInt8] {
        let digest = hash.digest(label: "email:", value)
        return [UInt8](unsafeUninitializedCapacity: 17 + domain.count) { output, count in
            digest.withUnsafeBytes { bytes in
                for index in 0..<16 { output[index] = base32Digit(bytes, index) }
            }
            output[16] = UInt8(ascii: "@")
            for (index, byte) in domain.enumerated() { output[17 + index] = byte }
            count = 17 + domain.count
        }
    }

    /// The domain of an address, without the `@`; nil when there is none.
    static func domain(of address: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard let at = address.lastIndex(of: UInt8(ascii: "@")), at + 1 < address.count else { return nil }
        return UnsafeRawBufferPointer(rebasing: address[(at + 1)...])
    }

    /// Other digits in the same places; letters become `x`, everything else stays. A leading zero
    /// stays one and another first digit never becomes one.
    static func phone(_ value: UnsafeRawBufferPointer, _ hash: KeyedHash) -> [UInt8] {
        let digest = hash.digest(label: "phone:", value)
        var output = Array(value)
        var digits = 0
        digest.withUnsafeBytes { bytes in
            for (index, byte) in output.enumerated() {
                if byte &- 0x30 > 9 {
                    if byte >= 0x80 || (byte | 0x20) &- 0x61 < 26 { output[index] = UInt8(ascii: "x") }
                    continue
                }
                let random = bytes[digits % 32]
                if digits > 0 {
                    output[index] = UInt8(ascii: "0") + random % 10
                } else if byte != UInt8(ascii: "0") {
                    output[index] = UInt8(ascii: "1") + random % 9
                }
                digits += 1
            }
        }
        return output
    }

    /// A made-up first and last name, or one name for one word.
    static func name(_ value: UnsafeRawBufferPointer, _ hash: KeyedHash) -> [UInt8] {
        let digest = hash.digest(label: "name:", value)
        return digest.withUnsafeBytes { bytes in
            let first = MaskNames.first[Int(bytes[0]) % MaskNames.first.count]
            let last = MaskNames.last[Int(bytes[1]) % MaskNames.last.count]
            return Array((value.contains(0x20) ? "\(first) \(last)" : first).utf8)
        }
    }

    /// Stars for letters and digits except the last four, for all when there are no more than four.
    /// Separators stay.
    static func last4(_ value: UnsafeRawBufferPointer) -> [UInt8] {
        let counted = value.count { isCounted($0) }
        var hidden = counted > 4 ? counted - 4 : counted
        var output: [UInt8] = []
        output.reserveCapacity(value.count)
        var isHiding = false
        for byte in value {
            if isCounted(byte) {
                isHiding = hidden > 0
                hidden -= isHiding ? 1 : 0
                output.append(isHiding ? UInt8(ascii: "*") : byte)
            } else if byte & 0xC0 != 0x80 || !isHiding {
                // What follows the first byte of a hidden character goes with it.
                output.append(byte)
            }
        }
        return output
    }

    /// A letter or digit; the first byte of any character past ASCII counts as one.
    private static func isCounted(_ byte: UInt8) -> Bool {
        byte &- 0x30 <= 9 || byte >= 0xC0 || (byte < 0x80 && (byte | 0x20) &- 0x61 < 26)
    }

    /// 64 hexadecimal digits.
    static func hash(_ value: UnsafeRawBufferPointer, _ hash: KeyedHash) -> [UInt8] {
        hash.digest(value).withUnsafeBytes { Hexadecimal.encode($0) }
    }

    /// 22 characters of the URL alphabet of base64 (128 bits).
    static func token(_ value: UnsafeRawBufferPointer, _ hash: KeyedHash) -> [UInt8] {
        hash.digest(label: "token:", value).withUnsafeBytes {
            Base64.encode(UnsafeRawBufferPointer(rebasing: $0[..<16]), .url)
        }
    }

    /// Days by which dates move under this key: 1 to `days`, forwards or back.
    static func dayShift(_ hash: KeyedHash, days: Int64) -> Int64 {
        hash.digest(label: "date_shift:", UnsafeRawBufferPointer(start: nil, count: 0)).withUnsafeBytes { bytes in
            let random = bytes.loadUnaligned(as: UInt64.self).littleEndian
            let distance = Int64((random >> 1) % UInt64(days)) + 1
            return random & 1 == 0 ? distance : -distance
        }
    }

    /// Moves every date in PostgreSQL's text form by `days`; the form stays.
    static func shifted(_ text: String, by days: Int64) throws(TimeError) -> String {
        try TimeValue(text: text).adding(days: days).description
    }

    private static func base32Digit(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> UInt8 {
        let bit = index * 5
        let pair = UInt16(bytes[bit / 8]) << 8 | UInt16(bytes[bit / 8 + 1])
        let value = UInt8(truncatingIfNeeded: pair >> UInt16(11 - bit % 8)) & 31
        return value < 26 ? UInt8(ascii: "a") + value : UInt8(ascii: "2") - 26 + value
    }
}
