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
    private(set) var widths: [Int]

    /// `rows` hold one text per column, nil for NULL. `total` is how many rows there are when only the first are given.
    /// Without a line break at the end.
    package static func render(columns: [Column], rows: [[String?]], total: Int? = nil) -> String {
        lines(columns: columns, rows: rows) + footer(total ?? rows.count, shown: rows.count)
    }

    /// Without saying how many rows there are; with a line break at the end.
    package static func lines(columns: [Column], rows: [[String?]]) -> String {
        var table = ResultTable(columns)
        let cells = rows.map { $0.map(cell) }
        table.fit(cells)
        return table.header + table.body(cells)
    }

    init(_ columns: [Column]) {
        self.columns = columns.map { Column(TerminalText.escaped($0.name), isNumeric: $0.isNumeric) }
        widths = self.columns.map { TerminalText.width(of: $0.name) }
    }

    /// What is shown of a value: a text that reads NULL is quoted, so that nobody takes it for one.
    static func cell(_ value: String?) -> String {
        guard let value else { return "NULL" }
        return value == "NULL" ? "\"NULL\"" : TerminalText.escaped(value)
    }

    /// Makes the columns wide enough for these cells; true if one has grown.
    @discardableResult
    mutating func fit(_ rows: [[String]]) -> Bool {
        var hasGrown = false
        for row in rows {
            for (index, cell) in row.enumerated() where index < widths.count {
                let width = TerminalText.width(of: cell)
                guard width > widths[index] else { continue }
                widths[index] = width
                hasGrown = true
            }
        }
        return hasGrown
    }

    /// Of a whole line.
    var width: Int { widths.reduce(0) { $0 + $1 + 3 } - (widths.isEmpty ? 0 : 1) }
}

// MARK: - Lines

extension ResultTable {
    /// The names and the line below them.
    var header: String {
        guard !columns.isEmpty else { return "" }
        return line(columns.indices.map(heading)) + "\n"
            + widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "+") + "\n"
    }

    func body(_ rows: [[String]]) -> String {
        guard !columns.isEmpty else { return "" }
        return rows.reduce(into: "") { text, row in text += line(columns.indices.map { field(row, $0) }) + "\n" }
    }

    static func footer(_ total: Int, shown: Int) -> String {
        if total > shown { return "(the first \(shown) of \(total) rows)" }
        return total == 1 ? "(1 row)" : "(\(total) rows)"
    }

    /// A row as a block of lines, one for each column.
    ///
    ///     -[ row 1 ]---
    ///     id   | 1
    ///     name | Ann
    func block(_ row: [String], number: Int, width: Int) -> String {
        let names = columns.map(\.name)
        let nameWidth = names.map { TerminalText.width(of: $0) }.max() ?? 0
        let valueWidth = row.map { TerminalText.width(of: $0) }.max() ?? 0
        let title = "-[ row \(number) ]"
        let length = max(title.utf8.count, min(nameWidth + 3 + valueWidth, width > 0 ? width - 1 : Int.max))
        var text = title + String(repeating: "-", count: length - title.utf8.count) + "\n"
        for (name, value) in zip(names, row) {
            let line = name + Self.blanks(nameWidth - TerminalText.width(of: name)) + " | " + value
            text += Self.trimmed(line) + "\n"
        }
        return text
    }

    private func line(_ cells: [String]) -> String { Self.trimmed(" " + cells.joined(separator: " | ")) }

    /// Blanks at the end of a line are left out.
    private static func trimmed(_ line: String) -> String {
        guard line.utf8.last == 0x20 else { return line }
        let end = line.utf8.lastIndex { $0 != 0x20 }
        return end.map { String(line[...$0]) } ?? ""
    }

    private func heading(_ index: Int) -> String {
        let name = columns[index].name
        let missing = widths[index] - TerminalText.width(of: name)
        let left = columns[index].isNumeric ? missing : missing / 2
        return Self.blanks(left) + name + Self.blanks(missing - left)
    }

    private func field(_ row: [String], _ index: Int) -> String {
        let cell = index < row.count ? row[index] : ""
        let missing = Self.blanks(widths[index] - TerminalText.width(of: cell))
        return columns[index].isNumeric ? missing + cell : cell + missing
    }

    private static func blanks(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }
}
