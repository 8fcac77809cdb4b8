/// Draws rows as an aligned table: numbers to the right, NULL apart from empty text, no control characters.
///
///      id | name | price
///     ----+------+-------
///       1 | Ann  |  9.99
///       2 | NULL |     0
///     (2 rows)
package struct ResultTable {
    package struct Column: Equatable, Sendable {
        package var name: String
        package var isNumeric: Bool

        package init(_ name: String, isNumeric: Bool = false) {
            self.name = name
            self.isNumeric = isNumeric
        }
    }

    private let columns: [Column]
    private let rows: [[String]]
    private let widths: [Int]
    private let total: Int

    /// `rows` hold one text per column, nil for NULL. `total` is how many rows there are when only the first are given.
    /// Without a line break at the end.
    package static func render(columns: [Column], rows: [[String?]], total: Int? = nil) -> String {
        let table = ResultTable(columns: columns, rows: rows, total: total ?? rows.count)
        return table.lines + table.footer
    }

    /// Without saying how many rows there are; with a line break at the end.
    package static func lines(columns: [Column], rows: [[String?]]) -> String {
        ResultTable(columns: columns, rows: rows, total: rows.count).lines
    }

    private init(columns: [Column], rows: [[String?]], total: Int) {
        self.columns = columns.map { Column(TerminalText.escaped($0.name), isNumeric: $0.isNumeric) }
        self.rows = rows.map { $0.map(Self.cell) }
        self.total = total
        var widths = self.columns.map { TerminalText.width(of: $0.name) }
        for row in self.rows {
            for (index, cell) in row.enumerated() where index < widths.count {
                widths[index] = max(widths[index], TerminalText.width(of: cell))
            }
        }
        self.widths = widths
    }

    /// A text that reads NULL is quoted, so that nobody takes it for one.
    private static func cell(_ value: String?) -> String {
        guard let value else { return "NULL" }
        return value == "NULL" ? "\"NULL\"" : TerminalText.escaped(value)
    }

    private var lines: String {
        var output = ""
        if !columns.isEmpty {
            output += line(columns.indices.map(heading)) + "\n"
            output += widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "+") + "\n"
            for row in rows { output += line(columns.indices.map { body(row, $0) }) + "\n" }
        }
        return output
    }

    private var footer: String {
        if total > rows.count { return "(the first \(rows.count) of \(total) rows)" }
        return total == 1 ? "(1 row)" : "(\(total) rows)"
    }

    /// Blanks at the end of a line are left out.
    private func line(_ cells: [String]) -> String {
        var text = " " + cells.joined(separator: " | ")
        while text.last == " " { text.removeLast() }
        return text
    }

    private func heading(_ index: Int) -> String {
        let name = columns[index].name
        let missing = widths[index] - TerminalText.width(of: name)
        let left = columns[index].isNumeric ? missing : missing / 2
        return Self.blanks(left) + name + Self.blanks(missing - left)
    }

    private func body(_ row: [String], _ index: Int) -> String {
        let cell = index < row.count ? row[index] : ""
        let missing = Self.blanks(widths[index] - TerminalText.width(of: cell))
        return columns[index].isNumeric ? missing + cell : cell + missing
    }

    private static func blanks(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }
}
