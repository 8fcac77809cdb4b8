import PostgresProtocol
import Scripting

/// What `verify` has found.
struct VerifyView: ReportView {
    var reports: [VerifyReport]

    /// Nothing differs, or all of it was mended.
    var isSettled: Bool { reports.allSatisfy { $0.isEqual || $0.repaired >= $0.differing } }

    var json: String {
        JSONText.object([
            ("differences", String(differing)), ("repaired", String(repaired)),
            ("tables", JSONText.array(reports.map(Self.object))),
        ])
    }

    private static func object(_ report: VerifyReport) -> String {
        JSONText.object([
            ("pipeline", JSONText.string(report.pipeline)), ("table", JSONText.string("\(report.target)")),
            ("rows", String(report.rows)), ("missing", String(report.missing)), ("extra", String(report.extra)),
            ("different", String(report.different)), ("repaired", String(report.repaired)),
            ("seconds", JSONText.seconds(report.duration)),
            ("differences", JSONText.array(report.differences.map(object))),
        ])
    }

    private static func object(_ difference: VerifyReport.Difference) -> String {
        JSONText.object([
            ("kind", JSONText.string(difference.kind.rawValue)), ("key", JSONText.row(difference.key)),
            ("columns", JSONText.strings(difference.columns)),
        ])
    }

    func text(_ palette: Palette) -> String {
        let columns = [
            ResultTable.Column("table"), .init("rows", isNumeric: true), .init("missing", isNumeric: true),
            .init("extra", isNumeric: true), .init("different", isNumeric: true),
        ]
        let rows = reports.map { report in
            ["\(report.target)"] + [report.rows, report.missing, report.extra, report.different].map(String.init)
        }
        let table = ResultTable.lines(columns: columns, rows: rows)
        let details = reports.filter { !$0.isEqual }.map { differences($0, palette) }.joined()
        return "\(table)\n\(details)\(details.isEmpty ? "" : "\n")\(summary)\n"
    }

    private func differences(_ report: VerifyReport, _ palette: Palette) -> String {
        var lines = [palette.paint(TerminalText.escaped("\(report.target)"), .help)]
        for difference in report.differences {
            let kind = TextColumns.padded(difference.kind.rawValue, to: VerifyReport.Kind.different.rawValue.count)
            let key = difference.key.map { "\($0.column)=\($0.value ?? "NULL")" }.joined(separator: ", ")
            let columns = difference.columns.isEmpty ? "" : ": " + difference.columns.joined(separator: ", ")
            lines.append("  \(palette.paint(kind, .changed))  \(TerminalText.escaped(key + columns))")
        }
        let hidden = report.differing - report.differences.count
        if hidden > 0 { lines.append("  ... and \(hidden) more") }
        return lines.map { $0 + "\n" }.joined()
    }

    private var summary: String {
        let place = Figures.count(reports.count, "table")
        guard differing > 0 else { return "\(place): no differences" }
        let found = "\(place): \(Figures.count(differing, "difference"))"
        guard repaired > 0 else { return found }
        return isSettled
            ? "\(found), all mended: \(Figures.count(repaired, "row"))"
            : "\(found), \(Figures.count(repaired, "row")) mended; verify once more"
    }

    private var differing: Int { reports.reduce(0) { $0 + $1.differing } }
    private var repaired: Int { reports.reduce(0) { $0 + $1.repaired } }
}

extension VerifyReport {
    fileprivate var differing: Int { missing + extra + different }
}
