import PostgresProtocol

/// Writes rows for people, a piece at a time: the first decides how wide the columns are, and whether each row gets a
/// block of lines. Later pieces widen columns where they must, below new headings.
final class TableFormatter: RowFormatter {
    /// Rows that are held until their width is known.
    private static let mostRows = 500
    private static let mostBytes = 1 << 18

    private let format: ResultFormat
    private let output: ResultOutput
    private var table: ResultTable
    private var held: [[String]] = []
    private var heldBytes = 0
    private var count = 0
    private var isExpanded: Bool?

    init(_ columns: [OutputColumn], _ format: ResultFormat, _ output: ResultOutput) {
        self.format = format
        self.output = output
        table = ResultTable(columns.map { ResultTable.Column($0.name, isNumeric: $0.kind.isNumeric) })
    }

    func add(_ fields: [UnsafeRawBufferPointer?]) {
        held.append(fields.map { ResultTable.cell($0.map { String(decoding: $0, as: UTF8.self) }) })
        heldBytes += fields.reduce(0) { $0 + ($1?.count ?? 0) }
        if held.count >= Self.mostRows || heldBytes >= Self.mostBytes { writeHeld() }
    }

    func end(_ command: String) {
        if table.widths.isEmpty, count + held.count == 0 {
            if !command.isEmpty { output.write(command + "\n") }
            return
        }
        writeHeld()
        output.write(ResultTable.footer(count, shown: count) + "\n")
    }

    private func writeHeld() {
        let mustShowHeader = table.fit(held) || isExpanded == nil
        let expanded = isExpanded ?? decideExpansion()
        isExpanded = expanded
        if expanded {
            for row in held {
                count += 1
                output.write(table.block(row, number: count, width: format.width))
            }
        } else {
            if mustShowHeader { output.write(table.header) }
            output.write(table.body(held))
            count += held.count
        }
        held = []
        heldBytes = 0
    }

    private func decideExpansion() -> Bool {
        switch format.expansion {
        case .on: !held.isEmpty
        case .off: false
        case .auto: !held.isEmpty && format.width > 0 && table.width > format.width
        }
    }
}
