import PostgresProtocol
import Scripting

/// How far pipelines are.
struct StatusView: ReportView {
    var reports: [StatusReport]
    /// The script, as it was named.
    var path: String

    var json: String { JSONText.array(reports.map(Self.object)) }

    private static func object(_ report: StatusReport) -> String {
        JSONText.object([
            ("pipeline", JSONText.string(report.pipeline)), ("state", JSONText.string(report.state)),
            ("is_running", String(report.isRunning)), ("started_at", JSONText.string(report.startedAt)),
            ("finished_at", JSONText.string(report.finishedAt)), ("dead_letters", String(report.deadLetters)),
            ("last_error", JSONText.string(report.lastError)),
            ("conflicts", JSONText.conflicts(report.conflicts)),
            ("stream", report.stream.map(object) ?? "null"), ("tables", JSONText.array(report.tables.map(object))),
        ])
    }

    private static func object(_ stream: StatusReport.Stream) -> String {
        JSONText.object([
            ("slot", JSONText.string(stream.slot)), ("is_active", String(stream.isActive)),
            ("position", JSONText.string(stream.position)), ("lag_bytes", stream.lag.map(String.init) ?? "null"),
            ("retained_bytes", JSONText.number(stream.retained)), ("commit_time", JSONText.string(stream.commitTime)),
            ("transactions", String(stream.transactions)), ("changes", String(stream.changes)),
            ("wal_budget", JSONText.number(stream.budget)), ("wal_budget_action", JSONText.string(stream.budgetAction)),
            ("seconds_to_full", stream.timeToFull.map(JSONText.seconds) ?? "null"),
        ])
    }

    private static func object(_ table: StatusReport.Table) -> String {
        JSONText.object([
            ("source", JSONText.string(table.source)), ("target", JSONText.string(table.target)),
            ("state", JSONText.string(table.state)), ("rows", String(table.rows)),
            ("estimated_rows", JSONText.number(table.estimatedRows)), ("bytes", String(table.bytes)),
            ("chunks_done", String(table.chunksDone)), ("chunks", String(table.chunks)),
            ("dead_letters", String(table.deadLetters)), ("started_at", JSONText.string(table.startedAt)),
            ("finished_at", JSONText.string(table.finishedAt)),
        ])
    }

    func text(_ palette: Palette) -> String {
        reports.map { text($0, palette) }.joined(separator: "\n")
    }

    private func text(_ report: StatusReport, _ palette: Palette) -> String {
        var text = palette.paint(TerminalText.escaped(report.pipeline), .help) + ": \(heading(report))\n"
        if !report.tables.isEmpty { text += tables(report) }
        if let stream = report.stream { text += "\(self.stream(stream))\n" }
        for conflict in report.conflicts { text += TerminalText.escaped(conflict.sentence) + "\n" }
        if report.deadLetters > 0 {
            text += "\(Figures.count(report.deadLetters, "dead letter")): replhost dlq list \(path)\n"
        }
        if let error = report.lastError {
            text += palette.paint("last error", .error) + ": \(TerminalText.escapedLines(error))\n"
        }
        return text
    }

    private func heading(_ report: StatusReport) -> String {
        var parts = [report.state == "new" ? "never run" : report.state]
        if report.isRunning { parts.append("a process is at work on it") }
        if let startedAt = report.startedAt { parts.append("started \(startedAt)") }
        if let finishedAt = report.finishedAt { parts.append("finished \(finishedAt)") }
        return TerminalText.escaped(parts.joined(separator: ", "))
    }

    private func stream(_ stream: StatusReport.Stream) -> String {
        var parts = ["slot \(stream.slot)\(stream.isActive ? "" : " (nobody streams from it)")"]
        parts.append(
            "\(Figures.count(stream.changes, "change")) in \(Figures.count(stream.transactions, "transaction")) applied"
        )
        parts.append(stream.lag.map { "lag \(Figures.size(Double($0)))" } ?? "lag unknown: the source is out of reach")
        if let time = stream.commitTime { parts.append("last commit \(time)") }
        if let retained = stream.retained { parts.append(log(retained, stream)) }
        return TerminalText.escaped("changes: " + parts.joined(separator: ", "))
    }

    private func log(_ retained: Int, _ stream: StatusReport.Stream) -> String {
        let kept = "\(Figures.size(Double(retained))) of log kept"
        guard let budget = stream.budget else { return kept }
        let bound = "\(kept) of \(Figures.size(Double(budget))) allowed (\(stream.budgetAction ?? "warn"))"
        if retained > budget { return bound + ", over the budget" }
        return bound + (stream.timeToFull.map { ", full in \(Figures.clock($0))" } ?? "")
    }

    private func tables(_ report: StatusReport) -> String {
        let columns = [
            ResultTable.Column("table"), .init("state"), .init("rows", isNumeric: true), .init("%", isNumeric: true),
            .init("size", isNumeric: true), .init("chunks", isNumeric: true), .init("dead letters", isNumeric: true),
        ]
        let rows = report.tables.map { table in
            [
                table.source == table.target ? table.source : "\(table.source) → \(table.target)", table.state,
                String(table.rows), table.percent.map(String.init) ?? "", Figures.size(Double(table.bytes)),
                "\(table.chunksDone)/\(table.chunks)", String(table.deadLetters),
            ]
        }
        return ResultTable.lines(columns: columns, rows: rows)
    }
}

extension StatusReport.Table {
    fileprivate var percent: Int? {
        if state == "done" || state == "copied" { return 100 }
        guard let estimatedRows, estimatedRows > 0 else { return chunks > 1 ? 100 * chunksDone / chunks : nil }
        return min(99, 100 * rows / estimatedRows)
    }
}

extension ConflictReport {
    /// "conflicts in public.t: 3 rows were there already, 1 was missing".
    var sentence: String {
        var parts: [String] = []
        if existing > 0 {
            parts.append("\(Figures.count(existing, "row")) \(existing == 1 ? "was" : "were") there already")
        }
        if missing > 0 { parts.append("\(Figures.count(missing, "row")) \(missing == 1 ? "was" : "were") missing") }
        return "conflicts in \(table): " + parts.joined(separator: ", ")
    }
}

extension JSONText {
    static func conflicts(_ conflicts: [ConflictReport]) -> String {
        array(
            conflicts.map { conflict in
                object([
                    ("table", string(conflict.table)), ("existing", String(conflict.existing)),
                    ("missing", String(conflict.missing)),
                ])
            })
    }
}
