import PostgresProtocol
import Scripting

/// A change as it passes: a heading, then what each row becomes.
struct TapView {
    var width: Int
    var reporter: FailureReporter

    private typealias Fields = [(column: String, value: String?)]

    /// One line.
    func json(_ report: TapReport) -> String {
        let after = report.after.map { output in
            JSONText.object([
                ("op", JSONText.string(output.operation)), ("table", JSONText.string("\(output.table)")),
                ("row", JSONText.row(output.row)),
                ("old_key", output.oldKey.isEmpty ? "null" : JSONText.row(output.oldKey)),
            ])
        }
        return JSONText.object([
            ("pipeline", JSONText.string(report.pipeline)), ("op", JSONText.string(report.operation)),
            ("table", JSONText.string("\(report.table)")), ("key", JSONText.row(report.key)),
            ("before", JSONText.row(report.before)),
            ("unchanged", JSONText.array(report.unchanged.map { JSONText.string($0) })),
            ("after", JSONText.array(after)), ("error", JSONText.failure(report.failure)),
            ("commit_time", JSONText.string(report.commitTime)), ("lsn", JSONText.string(report.lsn)),
            ("xid", String(report.xid)),
        ])
    }

    func text(_ report: TapReport, _ palette: Palette) -> String {
        heading(report, palette) + body(report, palette) + unchanged(report, palette)
    }

    private func heading(_ report: TapReport, _ palette: Palette) -> String {
        let role: Palette.Role =
            switch report.operation {
            case "insert": .added
            case "update": .changed
            default: .removed
            }
        var text = palette.paint(report.operation, role) + " "
        text += palette.paint(TerminalText.escaped("\(report.table)"), .help)
        let key = report.key.map { "\($0.column)=\($0.value ?? "NULL")" }.joined(separator: ", ")
        if !key.isEmpty { text += " " + TerminalText.escaped(key) }
        let place = "\(report.commitTime)  lsn \(report.lsn)  xid \(report.xid)"
        return text + "  " + palette.paint(place, .faint) + "\n"
    }

    private func body(_ report: TapReport, _ palette: Palette) -> String {
        if let failure = report.failure {
            var reporter = reporter
            reporter.palette = palette
            let lines = reporter.text(failure).split(separator: "\n").map { "    \($0)\n" }
            return "  \(palette.paint("failed", .error))\n" + lines.joined()
                + difference(report.before, report.before, palette)
        }
        if report.operation == "truncate" {
            return report.after.map { "   → truncate \(TerminalText.escaped("\($0.table)"))\n" }.joined()
        }
        guard !report.after.isEmpty else {
            return "  \(palette.paint("dropped", .removed)): nothing is written\n"
                + difference(report.before, report.before, palette)
        }
        return report.after.map { output(of: $0, report, palette) }.joined()
    }

    /// The heading of an output that is no surprise is left out.
    private func output(of output: TapReport.Output, _ report: TapReport, _ palette: Palette) -> String {
        let isPlain =
            report.after.count == 1 && output.operation == report.operation && output.table == report.table
            && output.oldKey.isEmpty
        let key = output.oldKey.map { "\($0.column)=\($0.value ?? "NULL")" }.joined(separator: ", ")
        let name = TerminalText.escaped("\(output.operation) \(output.table)\(key.isEmpty ? "" : " where \(key)")")
        let rows =
            output.operation == "delete"
            ? difference(output.row, output.row, palette) : difference(report.before, output.row, palette)
        return (isPlain ? "" : "   → \(name)\n") + rows
    }

    private func unchanged(_ report: TapReport, _ palette: Palette) -> String {
        guard !report.unchanged.isEmpty else { return "" }
        let names = TerminalText.escaped(report.unchanged.joined(separator: ", "))
        return "    " + palette.paint("not sent, as it has not changed: \(names)", .faint) + "\n"
    }

    private func difference(_ before: Fields, _ after: Fields, _ palette: Palette) -> String {
        RowDifference(before: before, after: after).text(width: width, palette)
    }
}
