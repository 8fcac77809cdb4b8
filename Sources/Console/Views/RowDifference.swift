import Scripting

/// A row before and after, a line for each column: "~" changed, "+" added, "-" gone.
struct RowDifference {
    private struct Line {
        var mark: String
        var role: Palette.Role?
        var column: String
        var before: String?
        var after: String?
    }

    private let lines: [Line]

    init(before: [(column: String, value: String?)], after: [(column: String, value: String?)]) {
        let old = Dictionary(before.map { ($0.column, $0.value) }) { first, _ in first }
        let kept = Set(after.map(\.column))
        let written = after.map { column, value in
            guard let previous = old[column] else {
                return Line(mark: "+", role: .added, column: column, after: Self.shown(value))
            }
            guard previous != value else { return Line(mark: " ", column: column, after: Self.shown(value)) }
            return Line(
                mark: "~", role: .changed, column: column, before: Self.shown(previous), after: Self.shown(value))
        }
        let gone = before.filter { !kept.contains($0.column) }.map { column, value in
            Line(mark: "-", role: .removed, column: column, before: Self.shown(value))
        }
        lines = written + gone
    }

    /// Each line narrower than `width`.
    func text(width: Int, _ palette: Palette) -> String {
        let longest = lines.map { TerminalText.width(of: TerminalText.escaped($0.column)) }.max() ?? 0
        let name = max(1, min(longest, width / 3))
        let room = max(3, width - name - 9)
        return lines.map { line in
            let column = TextColumns.padded(TextColumns.cut(TerminalText.escaped(line.column), to: name), to: name)
            let text = "\(line.mark) \(column)  \(Self.values(line, room))"
            return "    " + (line.role.map { palette.paint(text, $0) } ?? text) + "\n"
        }.joined()
    }

    private static func values(_ line: Line, _ room: Int) -> String {
        switch (line.before, line.after) {
        case (let before?, let after?):
            // Half of the room for each, unless one needs less.
            let share = (room - 3) / 2
            let left = TextColumns.cut(before, to: max(share, room - 3 - TerminalText.width(of: after)))
            return left + " → " + TextColumns.cut(after, to: room - 3 - TerminalText.width(of: left))
        case (let only?, nil), (nil, let only?): return TextColumns.cut(only, to: room)
        case (nil, nil): return ""
        }
    }

    /// A text that reads NULL is quoted, so that nobody takes it for one.
    private static func shown(_ value: String?) -> String {
        guard let value else { return "NULL" }
        return value == "NULL" ? "\"NULL\"" : TerminalText.escaped(value)
    }
}
