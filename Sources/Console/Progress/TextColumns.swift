import Scripting

/// Text in a given number of the terminal's columns. Nothing in it moves the cursor.
enum TextColumns {
    /// The text's beginning, with "…" in the place of what does not fit.
    static func cut(_ text: String, to width: Int) -> String {
        guard TerminalText.width(of: text) > width else { return text }
        return String(prefix(text, width - 1)) + (width > 0 ? "…" : "")
    }

    /// The text's end: what tells long names apart.
    static func cutLeft(_ text: String, to width: Int) -> String {
        guard TerminalText.width(of: text) > width else { return text }
        return (width > 0 ? "…" : "") + String(String(prefix(String(text.reversed()), width - 1)).reversed())
    }

    static func padded(_ text: String, to width: Int, isRight: Bool = false) -> String {
        let blanks = String(repeating: " ", count: max(0, width - TerminalText.width(of: text)))
        return isRight ? blanks + text : text + blanks
    }

    private static func prefix(_ text: String, _ width: Int) -> Substring {
        var used = 0
        return text.prefix { character in
            used += TerminalText.width(of: String(character))
            return used <= width
        }
    }
}
