import PostgresProtocol
import Scripting

/// Rows before and after, a block for each.
struct PreviewView: ReportView {
    var previews: [PreviewReport]
    var width: Int
    var reporter: FailureReporter

    var hasFailures: Bool { previews.contains { $0.rows.contains { $0.failure != nil } } }

    var json: String {
        JSONText.array(
            previews.map { preview in
                JSONText.object([
                    ("pipeline", JSONText.string(preview.pipeline)), ("source", JSONText.string("\(preview.source)")),
                    ("target", JSONText.string("\(preview.target)")),
                    ("rows", JSONText.array(preview.rows.map(Self.object))),
                ])
            })
    }

    private static func object(_ row: PreviewReport.Row) -> String {
        let after = row.after.map { output in
            JSONText.object([("table", JSONText.string("\(output.table)")), ("row", JSONText.row(output.row))])
        }
        return JSONText.object([
            ("before", JSONText.row(row.before)), ("after", JSONText.array(after)),
            ("error", JSONText.failure(row.failure)),
        ])
    }

    func text(_ palette: Palette) -> String {
        previews.map { text($0, palette) }.joined(separator: "\n")
    }

    private func text(_ preview: PreviewReport, _ palette: Palette) -> String {
        let names = TerminalText.escaped("\(preview.source) → \(preview.target)")
        let heading = palette.paint(names, .help) + "\n"
        guard !preview.rows.isEmpty else { return heading + "  no rows\n" }
        return heading
            + preview.rows.enumerated().map { index, row in
                text(row, number: index + 1, to: "\(preview.target)", palette)
            }.joined()
    }

    private func text(_ row: PreviewReport.Row, number: Int, to target: String, _ palette: Palette) -> String {
        if let failure = row.failure {
            var reporter = reporter
            reporter.palette = palette
            let lines = reporter.text(failure).split(separator: "\n").map { "    \($0)\n" }
            return "  row \(number): \(palette.paint("failed", .error))\n" + lines.joined() + before(row, palette)
        }
        guard let first = row.after.first else {
            return "  row \(number): \(palette.paint("dropped", .removed))\n" + before(row, palette)
        }
        if row.after.count == 1, "\(first.table)" == target {
            return "  row \(number)\n" + changes(row.before, first.row, palette)
        }
        var text = "  row \(number): \(Figures.count(row.after.count, "row"))\n"
        for output in row.after {
            text += "   → \(TerminalText.escaped("\(output.table)"))\n" + changes(row.before, output.row, palette)
        }
        return text
    }

    private func before(_ row: PreviewReport.Row, _ palette: Palette) -> String {
        RowDifference(before: row.before, after: row.before).text(width: width, palette)
    }

    private func changes(_ before: Values, _ after: Values, _ palette: Palette) -> String {
        RowDifference(before: before, after: after).text(width: width, palette)
    }

    private typealias Values = [(column: String, value: String?)]
}
