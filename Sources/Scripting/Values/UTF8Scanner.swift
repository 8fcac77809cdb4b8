/// Validates UTF-8 (RFC 3629) scalar by scalar.
enum UTF8Scanner {
    /// Bytes of the scalar that begins at `index`, 1 to 4; 0 when there is no valid one.
    static func scalarLength(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Int {
        let first = bytes[index]
        if first < 0x80 { return 1 }
        let length = first >= 0xF0 ? 4 : (first >= 0xE0 ? 3 : 2)
        guard first >= 0xC2, first <= 0xF4, index + length <= bytes.count else { return 0 }
        let second = bytes[index + 1]
        switch first {
        case 0xE0 where second < 0xA0: return 0
        case 0xED where second >= 0xA0: return 0
        case 0xF0 where second < 0x90: return 0
        case 0xF4 where second >= 0x90: return 0
        default: break
        }
        for offset in 1..<length where bytes[index + offset] & 0xC0 != 0x80 { return 0 }
        return length
    }
}
