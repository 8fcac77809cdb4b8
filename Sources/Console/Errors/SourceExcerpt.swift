import Scripting

/// The line of a script that a failure is about, with a caret when the message names something in it.
struct SourceExcerpt {
    private let place: SourcePlace
    private let line: Line?
    private let mark: Range<Int>?

    /// One line, ready for a terminal, and where each of its characters stands in the source.
    private struct Line {
        var characters: [Character]
    }

    /// `line` is nil when the file is gone.
    init(_ place: SourcePlace, line: String?, for report: FailureReport) {
        self.place = place
        self.line = line.map { Line(characters: Array($0)) }
        mark = line.flatMap { QuotedName.range(in: $0, namedBy: report.message) }
    }

    var hasCaret: Bool { mark != nil }

    /// "  --> shop.lua:18:9", the line, and the caret with `note` behind it.
    func lines(_ palette: Palette, note: String?) -> [String] {
        let column = mark.map { ":\($0.lowerBound + 1)" } ?? ""
        let arrow = palette.paint("-->", .place)
        var lines = ["  \(arrow) \(TerminalText.escaped(place.file)):\(place.line)\(column)"]
        guard let line else { return lines }
        let number = String(place.line)
        let gutter = String(repeating: " ", count: max(0, 5 - number.count)) + number
        let window = Self.window(line.characters.count, around: mark)
        lines.append(palette.paint(gutter + " |", .place) + " " + Self.shown(line.characters[window]))
        guard let mark else { return lines }
        let blanks = TerminalText.width(of: Self.shown(line.characters[window.lowerBound..<mark.lowerBound]))
        let carets = max(1, TerminalText.width(of: Self.shown(line.characters[mark])))
        lines.append(
            palette.paint(String(repeating: " ", count: gutter.count) + " |", .place) + " "
                + String(repeating: " ", count: blanks)
                + palette.paint(String(repeating: "^", count: carets) + (note.map { " " + $0 } ?? ""), .mark))
        return lines
    }

    /// At most so many characters of a line are shown.
    private static let longest = 160

    private static func window(_ count: Int, around mark: Range<Int>?) -> Range<Int> {
        guard count > longest else { return 0..<count }
        let start = min(max(0, (mark?.lowerBound ?? 0) - longest / 2), count - longest)
        let end = max(start + longest, min(mark?.upperBound ?? 0, start + 2 * longest))
        return start..<end
    }

    private static func shown(_ characters: ArraySlice<Character>) -> String {
        characters.map { $0 == "\t" ? "    " : TerminalText.escaped(String($0)) }.joined()
    }
}
