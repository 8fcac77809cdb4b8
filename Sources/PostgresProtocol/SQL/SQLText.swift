/// Puts names and values into SQL text so that they are read back as what they are.
package enum SQLText {
    /// Always in double quotes, so reserved words and any case are safe: `a"b` becomes `"a""b"`.
    package static func quoteIdentifier(_ name: String) -> String {
        quoted(name, with: UInt8(ascii: "\""))
    }

    /// In single quotes; with a backslash inside the form is `E'…'`, which means the same whatever
    /// `standard_conforming_strings` says.
    package static func quoteLiteral(_ value: String) -> String {
        guard value.utf8.contains(UInt8(ascii: "\\")) else { return quoted(value, with: UInt8(ascii: "'")) }
        var text: [UInt8] = [UInt8(ascii: "E"), UInt8(ascii: "'")]
        for byte in value.utf8 {
            if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\\") { text.append(byte) }
            text.append(byte)
        }
        text.append(UInt8(ascii: "'"))
        return String(decoding: text, as: UTF8.self)
    }

    /// Without quotes where the server would print it so (`quote_identifier`), but for reserved words, which stay bare:
    /// for messages, not for SQL.
    package static func displayIdentifier(_ name: String) -> String {
        isPlain(name) ? name : quoteIdentifier(name)
    }

    /// Lower case letters, digits and underscores, not beginning with a digit.
    static func isPlain(_ name: String) -> Bool {
        guard let first = name.utf8.first, !ASCII.isDigit(first) else { return false }
        return name.utf8.allSatisfy { byte in
            byte &- 0x61 < 26 || byte == UInt8(ascii: "_") || ASCII.isDigit(byte)
        }
    }

    private static func quoted(_ text: String, with quote: UInt8) -> String {
        var result: [UInt8] = [quote]
        result.reserveCapacity(text.utf8.count + 2)
        for byte in text.utf8 {
            if byte == quote { result.append(byte) }
            result.append(byte)
        }
        result.append(quote)
        return String(decoding: result, as: UTF8.self)
    }
}
