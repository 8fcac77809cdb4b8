/// The line of a statement that an error points into, measured in terminal columns.
struct SourceLine {
    /// What is shown of a line that may be too long.
    struct Window {
        var text: String
        var cutLeft: Bool
        var cutRight: Bool
        /// Columns from the start of `text` to the caret.
        var caretColumn: Int
    }

    /// From 1.
    let number: Int
    /// The characters of the line; tabs and other control characters are blanks.
    private let characters: [Unicode.Scalar]
    /// Column at which each character starts, and one more for the end.
    private let columns: [Int]
    /// Index of the character that the caret marks; `characters.count` at the end of the line.
    private let caret: Int

    /// The line that holds character `target` (from 0, at most `scalars.count`).
    init(of target: Int, in scalars: [Unicode.Scalar]) {
        var number = 1
        var start = 0
        var index = 0
        while index < target {
            if Self.endsLine(scalars, at: index) {
                number += 1
                start = index + 1
            }
            index += 1
        }
        var end = target
        while end < scalars.count, scalars[end] != "\n", scalars[end] != "\r" { end += 1 }
        self.number = number
        self.characters = scalars[start..<end].map { $0.value < 32 ? " " : $0 }
        self.caret = target - start
        self.columns = characters.reduce(into: [0]) { $0.append(($0.last ?? 0) + Self.width(of: $1)) }
    }

    /// The whole line if it fits into `width` columns, else a part around the caret.
    func window(columns width: Int, afterCaret: Int) -> Window {
        var first = 0
        var last = characters.count
        if columns[last] > width {
            if columns[caret] + afterCaret < width {
                while columns[last] > width { last -= 1 }
            } else {
                while columns[last] - columns[caret] > afterCaret { last -= 1 }
                while columns[last] - columns[first] > width { first += 1 }
            }
        }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: characters[first..<last])
        return Window(
            text: String(text), cutLeft: first > 0, cutRight: last < characters.count,
            caretColumn: columns[caret] - columns[first])
    }

    /// A line ends after LF, and after a CR that no LF follows.
    private static func endsLine(_ scalars: [Unicode.Scalar], at index: Int) -> Bool {
        if scalars[index] == "\n" { return true }
        return scalars[index] == "\r" && (index + 1 >= scalars.count || scalars[index + 1] != "\n")
    }

    /// 0 for combining marks, 2 for East Asian wide characters and emoji, else 1.
    private static func width(of scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0..<0x300: 1
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            2
        default:
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .enclosingMark, .format: 0
            default: 1
            }
        }
    }
}
