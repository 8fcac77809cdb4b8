/// Lua source for a value.
package enum LuaLiteral {
    /// A quoted string of the same bytes, on one line.
    package static func quoted(_ text: String) -> String {
        var output: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), byte]
            case 0..<0x20, 0x7F: output += escape(byte)
            default: output.append(byte)
            }
        }
        return String(decoding: output + [UInt8(ascii: "\"")], as: UTF8.self)
    }

    /// Always three digits: one may follow.
    private static func escape(_ byte: UInt8) -> [UInt8] {
        let digits = String(byte)
        return Array(("\\" + String(repeating: "0", count: 3 - digits.utf8.count) + digits).utf8)
    }
}
