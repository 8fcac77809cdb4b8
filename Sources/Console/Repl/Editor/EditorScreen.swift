/// What of an editor is on the terminal: makes the escape sequences that turn it into something else. The cursor is
/// assumed at the beginning of an empty line when nothing is drawn.
struct EditorScreen {
    private var rows: [String] = []
    private var widths: [Int] = []
    private var cursor = (row: 0, column: 0)
    /// Not all of it was drawn last.
    private(set) var isClipped = false

    /// Draws what has changed. In a window with fewer rows, those around the cursor.
    mutating func draw(_ layout: EditorLayout, height: Int) -> String {
        let visible = Self.window(layout, height)
        let new = Array(layout.rows[visible])
        let target = (row: layout.cursor.row - visible.lowerBound, column: layout.cursor.column)
        let first =
            zip(rows, new).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(rows.count, new.count)
        var output = ""
        if first < max(rows.count, new.count) || rows.isEmpty {
            output += change(from: first, to: new)
        }
        output += Self.move(from: cursor, to: target)
        rows = new
        widths = Array(layout.widths[visible])
        cursor = target
        isClipped = visible.count < layout.rows.count
        return output
    }

    /// Takes all of it off the terminal; the cursor is where it began.
    mutating func erase() -> String {
        defer { forget() }
        guard !rows.isEmpty else { return "" }
        return Self.up(cursor.row) + "\r\u{1B}[J"
    }

    /// Leaves it where it is; the cursor goes below.
    mutating func finish() -> String {
        defer { forget() }
        guard !rows.isEmpty else { return "" }
        return Self.down(rows.count - 1 - cursor.row) + "\r\n"
    }

    mutating func forget() {
        rows = []
        widths = []
        cursor = (0, 0)
    }

    /// The window has become another one, and its terminal has broken rows anew that were too wide: takes them off.
    mutating func erase(inWidth width: Int) -> String {
        let above = widths.prefix(cursor.row).reduce(0) { $0 + max(1, ($1 + width - 1) / max(width, 1)) }
        cursor.row = above + cursor.column / max(width, 1)
        return erase()
    }

    private mutating func change(from first: Int, to new: [String]) -> String {
        var output = ""
        if let suffix = appended(first, new) {
            output += "\u{1B}[K" + suffix
            cursor.column = -1
            return output
        }
        let start = min(first, max(rows.count - 1, 0))
        output += cursor.row > start ? Self.up(cursor.row - start) : Self.down(start - cursor.row)
        output += "\r"
        if rows.isEmpty || start < new.count {
            output += (start..<new.count).map { "\u{1B}[K" + new[$0] }.joined(separator: "\r\n")
        }
        cursor = (max(new.count - 1, start), -1)
        if rows.count > new.count {
            output += new.count > start ? "\r\n\u{1B}[J" : "\u{1B}[J"
            cursor.row = new.count > start ? new.count : start
        }
        return output
    }

    /// What was only added at the cursor, at the end of the last row: most of all typing.
    private func appended(_ first: Int, _ new: [String]) -> String? {
        guard new.count == rows.count, first == rows.count - 1, cursor.row == first, cursor.column == widths[first],
            new[first].hasPrefix(rows[first]), new[first].utf8.starts(with: rows[first].utf8)
        else { return nil }
        return String(decoding: new[first].utf8.dropFirst(rows[first].utf8.count), as: UTF8.self)
    }

    private static func window(_ layout: EditorLayout, _ height: Int) -> Range<Int> {
        let count = layout.rows.count
        guard count > height, height > 0 else { return 0..<count }
        let start = min(max(0, layout.cursor.row - height + 1), count - height)
        return start..<(start + height)
    }

    // MARK: Moving. A column of -1 is an unknown one.

    private static func move(from: (row: Int, column: Int), to: (row: Int, column: Int)) -> String {
        let rows = to.row < from.row ? up(from.row - to.row) : down(to.row - from.row)
        guard from.column != to.column else { return rows }
        return rows + "\r" + (to.column > 0 ? "\u{1B}[\(to.column)C" : "")
    }

    private static func up(_ count: Int) -> String { count > 0 ? "\u{1B}[\(count)A" : "" }

    private static func down(_ count: Int) -> String { count > 0 ? "\u{1B}[\(count)B" : "" }
}
