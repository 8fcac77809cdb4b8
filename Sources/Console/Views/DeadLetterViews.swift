import PostgresProtocol
import Scripting

/// Dead letters, a line for each.
struct DeadLetterList: ReportView {
    var letters: [DeadLetterReport]
    /// Keys are values of rows.
    var showsValues: Bool

    var json: String {
        JSONText.array(
            letters.map { letter in
                var fields = DeadLetterView.fields(letter)
                if showsValues { fields.append(("key", JSONText.row(letter.key))) }
                return JSONText.object(fields)
            })
    }

    func text(_ palette: Palette) -> String {
        guard !letters.isEmpty else { return "There are no dead letters.\n" }
        var columns = [
            ResultTable.Column("id", isNumeric: true), .init("table"), .init("operation"), .init("created"),
            .init("error"),
        ]
        if showsValues { columns.append(.init("key")) }
        let rows = letters.map { letter in
            let line = [
                String(letter.id), letter.table, letter.operation, letter.createdAt,
                TextColumns.cut("\(letter.code): \(letter.message)", to: 60),
            ]
            return showsValues ? line + [DeadLetterView.key(letter)] : line
        }
        return ResultTable.render(columns: columns, rows: rows) + "\n"
    }
}

/// One dead letter, whole.
struct DeadLetterView: ReportView {
    var letter: DeadLetterReport
    var reporter: FailureReporter

    var json: String {
        JSONText.object(
            Self.fields(letter) + [
                ("key", JSONText.row(letter.key)), ("row", JSONText.row(letter.row)),
                ("traceback", JSONText.string(letter.traceback)), ("script_hash", JSONText.string(letter.scriptHash)),
            ])
    }

    /// What says nothing of the row.
    static func fields(_ letter: DeadLetterReport) -> [(name: String, value: String)] {
        [
            ("id", String(letter.id)), ("pipeline", JSONText.string(letter.pipeline)),
            ("table", JSONText.string(letter.table)), ("operation", JSONText.string(letter.operation)),
            ("code", JSONText.string(letter.code)), ("message", JSONText.string(letter.message)),
            ("position", JSONText.string(letter.position)), ("created_at", JSONText.string(letter.createdAt)),
        ]
    }

    static func key(_ letter: DeadLetterReport) -> String {
        letter.key.map { "\($0.column)=\($0.value ?? "NULL")" }.joined(separator: ", ")
    }

    func text(_ palette: Palette) -> String {
        let facts = [
            ("pipeline", letter.pipeline), ("table", letter.table), ("operation", letter.operation),
            ("key", Self.key(letter)), ("created", letter.createdAt), ("script", letter.scriptHash),
        ]
        var text = palette.paint("dead letter \(letter.id)", .help) + "\n"
        for (name, value) in facts where !value.isEmpty {
            text += "  \(TextColumns.padded(name, to: 9))  \(TerminalText.escaped(value))\n"
        }
        let row = RowDifference(before: letter.row, after: letter.row)
        return text + "row\n" + row.text(width: Int(Int16.max), palette) + failure(palette)
    }

    private func failure(_ palette: Palette) -> String {
        var reporter = reporter
        reporter.palette = palette
        let report = FailureReport(code: letter.code, letter.message, place: letter.position.flatMap(SourcePlace.init))
        let calls = TerminalText.escapedLines(letter.traceback).split(separator: "\n").map { "  \($0)\n" }
        return reporter.text(report) + calls.joined()
    }
}

/// What came of delivering dead letters.
struct RetryView: ReportView {
    var report: RetryReport

    var json: String {
        JSONText.object([("delivered", String(report.delivered)), ("failed", String(report.failed))])
    }

    func text(_ palette: Palette) -> String {
        let delivered = "\(Figures.count(report.delivered, "dead letter")) delivered"
        return report.failed == 0 ? "\(delivered)\n" : "\(delivered), \(report.failed) failed again and stay\n"
    }
}

/// How many dead letters were deleted.
struct PurgeView: ReportView {
    var count: Int

    var json: String { JSONText.object([("deleted", String(count))]) }

    func text(_ palette: Palette) -> String { "\(Figures.count(count, "dead letter")) deleted\n" }
}
