/// Text as a terminal shows it.
package enum TerminalText {
    /// Control characters as `\n`, `\t`, `\x1b`: they must not break a table or move the cursor.
    package static func escaped(_ text: String) -> String {
        guard !isPlain(text) else { return text }
        var output = ""
        for scalar in text.unicodeScalars { output += escaped(scalar) }
        return output
    }

    /// Like `escaped`, but lines stay lines, and a tab is four blanks.
    package static func escapedLines(_ text: String) -> String {
        var output = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": output += "\n"
            case "\t": output += "    "
            default: output += escaped(scalar)
            }
        }
        return output
    }

    /// Columns that the text takes: East Asian wide characters and emoji two, combining marks none.
    package static func width(of text: String) -> Int {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
        return text.reduce(0) { $0 + width(of: $1) }
    }

    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": "\\n"
        case "\t": "\\t"
        case "\r": "\\r"
        case "\u{0}"..<" ", "\u{7F}"..<"\u{A0}": "\\x" + hexadecimal(scalar.value, digits: 2)
        // Turning the direction of writing, or breaking the line in some terminals.
        case "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}", "\u{2028}", "\u{2029}":
            "\\u{" + hexadecimal(scalar.value, digits: 4) + "}"
        default: String(scalar)
        }
    }

    private static func hexadecimal(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }

    private static func width(of character: Character) -> Int {
        var width = 0
        for scalar in character.unicodeScalars {
            // U+FE0F asks for the coloured form of what precedes it.
            width = max(width, scalar == "\u{FE0F}" ? 2 : self.width(of: scalar))
        }
        return width
    }

    private static func width(of scalar: Unicode.Scalar) -> Int {
        if scalar.value < 0x300 { return 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        if scalar.properties.isEmojiPresentation { return 2 }
        return wideRanges.contains { $0.contains(scalar.value) } ? 2 : 1
    }

    /// East_Asian_Width W and F of Unicode 15 (UAX #11), without emoji.
    private static let wideRanges: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2329...0x232A, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0xA4CF,
        0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF01...0xFF60,
        0xFFE0...0xFFE6, 0x16FE0...0x18CFF, 0x1AFF0...0x1B2FF, 0x1F200...0x1F265, 0x20000...0x3FFFD,
    ]
}
