import Scripting

/// What stands before the lines of a statement.
struct Prompt: Equatable {
    var first: String
    /// Of the same width.
    var continuation: String

    init(_ first: String, continuation: String) {
        self.first = first
        self.continuation = continuation
    }
}

/// A statement as rows of a window, each of them at most as wide as that.
struct EditorLayout: Equatable {
    private(set) var rows: [String] = [""]
    private(set) var widths: [Int] = [0]
    private(set) var cursor = (row: 0, column: 0)
    private let windowWidth: Int

    static func == (left: EditorLayout, right: EditorLayout) -> Bool {
        left.rows == right.rows && left.cursor == right.cursor
    }

    init(_ buffer: EditBuffer, _ prompt: Prompt, width: Int) {
        windowWidth = max(width, 4)
        // In a narrow window the text matters more than where it goes.
        let isNarrow = TerminalText.width(of: prompt.first) > windowWidth / 2
        let (first, continuation) = isNarrow ? ("> ", "  ") : (prompt.first, prompt.continuation)
        append(first)
        for (index, character) in buffer.characters.enumerated() {
            if index == buffer.cursor { noteCursor(before: character) }
            if character == "\n" {
                breakLine()
                append(continuation)
            } else {
                append(shown(character))
            }
        }
        if buffer.isAtEnd { noteCursor(before: nil) }
    }

    /// Lines of other text below; they are cut, not broken.
    mutating func append(lines: [String]) {
        for line in lines {
            rows.append(line)
            widths.append(TerminalText.width(of: line))
        }
    }

    /// A character that does not fit any more begins a new row; so does the place behind a full one.
    private mutating func noteCursor(before character: Character?) {
        let width = character.map { $0 == "\n" ? 1 : TerminalText.width(of: shown($0)) } ?? 1
        if widths[widths.count - 1] + width > windowWidth, character != "\n" || widths[widths.count - 1] >= windowWidth
        {
            breakLine()
        }
        cursor = (rows.count - 1, widths[widths.count - 1])
    }

    private mutating func append(_ text: String) {
        if text.utf8.allSatisfy({ $0 < 0x80 }), widths[widths.count - 1] + text.utf8.count <= windowWidth {
            rows[rows.count - 1] += text
            widths[widths.count - 1] += text.utf8.count
            return
        }
        for character in text {
            let width = TerminalText.width(of: String(character))
            if widths[widths.count - 1] + width > windowWidth { breakLine() }
            rows[rows.count - 1].append(character)
            widths[widths.count - 1] += width
        }
    }

    private mutating func breakLine() {
        rows.append("")
        widths.append(0)
    }

    /// Tabs as blanks up to the next stop, control characters as `^X`.
    private func shown(_ character: Character) -> String {
        if character == "\t" { return String(repeating: " ", count: 8 - widths[widths.count - 1] % 8) }
        guard let scalar = character.unicodeScalars.first, scalar.value < 0x20 || scalar.value == 0x7F else {
            return String(character)
        }
        return "^" + String(Unicode.Scalar(UInt8(scalar.value ^ 0x40)))
    }
}

/// Names in columns, as many lines as there is room for.
enum MenuLines {
    static func lines(_ names: [String], width: Int, height: Int) -> [String] {
        // There may be thousands: what has no room in any case is not looked at.
        let possible = names.prefix(max(0, height * width))
        guard let longest = possible.map({ TerminalText.width(of: $0) }).max() else { return [] }
        let cell = min(longest + 2, max(width - 1, 1))
        let perLine = max(1, (width - 1) / cell)
        let all = (names.count + perLine - 1) / perLine
        let shown = all > height ? height - 1 : all
        let lines = (0..<shown).map { line in
            let part = names[(line * perLine)..<min((line + 1) * perLine, names.count)]
            return cut(part.map { $0 + blanks(cell - TerminalText.width(of: $0)) }.joined(), width - 1)
        }
        let missing = names.count - shown * perLine
        return missing > 0 ? lines + [cut("... and \(missing) more", width - 1)] : lines
    }

    private static func blanks(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }

    private static func cut(_ text: String, _ width: Int) -> String {
        var output = ""
        var used = 0
        for character in text {
            used += TerminalText.width(of: String(character))
            guard used <= width else { break }
            output.append(character)
        }
        while output.last == " " { output.removeLast() }
        return output
    }
}
