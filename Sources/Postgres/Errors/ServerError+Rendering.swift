extension ServerError {
    /// The form psql shows: message, `LINE n:` with a caret, detail, hint, query of a function, context.
    package var rendered: String {
        var lines = ["\(severity):  \(message)"]
        if let position, let query {
            lines += Self.caret(in: query, at: position)
        } else if let internalPosition, let internalQuery {
            lines += Self.caret(in: internalQuery, at: internalPosition)
        }
        if let detail { lines.append("DETAIL:  \(detail)") }
        if let hint { lines.append("HINT:  \(hint)") }
        if let internalQuery { lines.append("QUERY:  \(internalQuery)") }
        if let context { lines.append("CONTEXT:  \(context)") }
        return lines.joined(separator: "\n")
    }

    /// Longest part of a line that is shown, in columns (libpq: `DISPLAY_SIZE`).
    private static let displayedColumns = 60
    /// Columns kept to the right of the caret when a long line is cut (libpq: `MIN_RIGHT_CUT`).
    private static let columnsAfterCaret = 10

    /// Two lines, `LINE n: text` and the caret below the `position`-th character; none if it lies outside.
    ///
    /// After `reportErrorPosition` of libpq's fe-protocol3.c: tabs count as blanks, wide characters as two columns.
    package static func caret(in query: String, at position: Int) -> [String] {
        let scalars = Array(query.unicodeScalars)
        let target = position - 1
        guard target >= 0, target <= scalars.count else { return [] }
        let line = SourceLine(of: target, in: scalars)
        let window = line.window(columns: displayedColumns, afterCaret: columnsAfterCaret)
        let prefix = "LINE \(line.number): "
        let shown = prefix + (window.cutLeft ? "..." : "") + window.text + (window.cutRight ? "..." : "")
        let blanks = prefix.count + (window.cutLeft ? 3 : 0) + window.caretColumn
        return [shown, String(repeating: " ", count: blanks) + "^"]
    }
}
