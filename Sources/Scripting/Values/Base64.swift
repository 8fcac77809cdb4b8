/// RFC 4648, sections 4 (with padding) and 5 (URL alphabet, written without padding).
package enum Base64 {
    package enum Alphabet: Sendable { case standard, url }

    private static let standard = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let url = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// Value of each byte in either alphabet; 255 for none.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, byte) in standard.enumerated() { values[Int(byte)] = UInt8(value) }
        for (value, byte) in url.enumerated() { values[Int(byte)] = UInt8(value) }
        return values
    }()

    package static func encode(_ bytes: UnsafeRawBufferPointer, _ alphabet: Alphabet = .standard) -> [UInt8] {
        let letters = alphabet == .standard ? standard : url
        var output: [UInt8] = []
        output.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let count = min(3, bytes.count - index)
            var group = UInt32(bytes[index]) << 16
            if count > 1 { group |= UInt32(bytes[index + 1]) << 8 }
            if count > 2 { group |= UInt32(bytes[index + 2]) }
            for place in 0...count { output.append(letters[Int(group >> UInt32(18 - 6 * place)) & 63]) }
            if alphabet == .standard { output.append(contentsOf: repeatElement(UInt8(ascii: "="), count: 3 - count)) }
            index += 3
        }
        return output
    }

    /// Takes both alphabets, blanks and line ends between the characters (as PostgreSQL's `encode`
    /// writes them), and padding or none. nil for anything else, and for bits that would be lost.
    package static func decode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        var output: [UInt8] = []
        output.reserveCapacity(text.count / 4 * 3 + 3)
        var group: UInt32 = 0
        var filled = 0
        var padding = 0
        for byte in text {
            if byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { continue }
            if byte == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            let value = values[Int(byte)]
            guard value < 64, padding == 0 else { return nil }
            group = group << 6 | UInt32(value)
            filled += 1
            guard filled == 4 else { continue }
            output.append(UInt8(truncatingIfNeeded: group >> 16))
            output.append(UInt8(truncatingIfNeeded: group >> 8))
            output.append(UInt8(truncatingIfNeeded: group))
            group = 0
            filled = 0
        }
        return finish(&output, group, filled, padding) ? output : nil
    }

    private static func finish(_ output: inout [UInt8], _ group: UInt32, _ filled: Int, _ padding: Int) -> Bool {
        switch filled {
        case 0: return padding == 0
        case 2:
            output.append(UInt8(truncatingIfNeeded: group >> 4))
            return group & 0xF == 0 && (padding == 0 || padding == 2)
        case 3:
            output.append(UInt8(truncatingIfNeeded: group >> 10))
            output.append(UInt8(truncatingIfNeeded: group >> 2))
            return group & 0x3 == 0 && (padding == 0 || padding == 1)
        default: return false
        }
    }
}
