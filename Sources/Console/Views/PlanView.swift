import PostgresProtocol
import Scripting

/// What a run would do.
struct PlanView: ReportView {
    var plans: [PlanReport]

    var json: String { JSONText.array(plans.map(Self.object)) }

    private static func object(_ plan: PlanReport) -> String {
        JSONText.object([
            ("pipeline", JSONText.string(plan.pipeline)), ("tables", JSONText.array(plan.tables.map(object))),
            ("skipped", JSONText.strings(plan.skipped.map { "\($0)" })),
            ("source_sql", JSONText.strings(plan.sourceSQL)), ("target_sql", JSONText.strings(plan.targetSQL)),
            ("left_out", JSONText.strings(plan.leftOut)),
        ])
    }

    private static func object(_ table: PlanReport.Table) -> String {
        JSONText.object([
            ("source", JSONText.string("\(table.source)")), ("target", JSONText.string("\(table.target)")),
            ("state", JSONText.string(table.state)), ("estimated_rows", JSONText.number(table.estimatedRows)),
            ("chunks", JSONText.string(table.chunks)), ("format", JSONText.string(table.format)),
            ("has_transform", String(table.hasTransform)),
        ])
    }

    func text(_ palette: Palette) -> String {
        plans.map { text($0, palette) }.joined(separator: "\n")
    }

    private func text(_ plan: PlanReport, _ palette: Palette) -> String {
        var text = palette.paint("pipeline \(TerminalText.escaped(plan.pipeline))", .help) + "\n\n"
        text += plan.tables.isEmpty ? "No table is copied.\n" : tables(plan)
        if !plan.skipped.isEmpty {
            let names = plan.skipped.map { TerminalText.escaped("\($0)") }
            text += "\nleft out: \(names.joined(separator: ", "))\n"
        }
        text += statements("source", plan.sourceSQL, palette) + statements("target", plan.targetSQL, palette)
        guard !plan.leftOut.isEmpty else { return text }
        let lines = plan.leftOut.map { "  \(TerminalText.escaped($0))\n" }
        return text + "\n" + palette.paint("not made in the target:", .help) + "\n" + lines.joined()
    }

    private func tables(_ plan: PlanReport) -> String {
        let columns = [
            ResultTable.Column("source"), .init("target"), .init("state"), .init("rows", isNumeric: true),
            .init("chunks"), .init("format"), .init("function"),
        ]
        let rows = plan.tables.map { table in
            [
                "\(table.source)", table.target == table.source ? "same" : "\(table.target)", table.state,
                table.estimatedRows.map { "~\($0)" } ?? "", table.chunks, table.format,
                table.hasTransform ? "yes" : "",
            ]
        }
        return ResultTable.lines(columns: columns, rows: rows)
    }

    private func statements(_ side: String, _ statements: [String], _ palette: Palette) -> String {
        guard !statements.isEmpty else { return "\nNothing is to be done in the \(side).\n" }
        let lines = statements.map { statement in
            let lines = TerminalText.escapedLines(statement + ";").split(
                separator: "\n", omittingEmptySubsequences: false)
            return lines.map { "  \($0)\n" }.joined()
        }
        return "\n" + palette.paint("in the \(side):", .help) + "\n" + lines.joined()
    }
}
