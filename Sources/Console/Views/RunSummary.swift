import PostgresProtocol
import Scripting

/// What a run has done.
struct RunSummary: ReportView {
    var results: [PipelineResult]
    /// By pipeline, the rows that earlier runs had copied, where they are known.
    var rowsBefore: [String: Int]
    /// The script, as it was named.
    var path: String

    var json: String {
        JSONText.array(
            results.map { result in
                JSONText.object([
                    ("pipeline", JSONText.string(result.pipeline)),
                    ("was_complete", String(result.wasComplete)), ("tables", String(result.tables)),
                    ("read", String(result.read)), ("written", String(result.written)),
                    ("dropped", String(result.dropped)), ("skipped", String(result.skipped)),
                    ("dead_letters", String(result.deadLetters)), ("bytes", String(result.bytes)),
                    ("transactions", String(result.transactions)), ("changes", String(result.changes)),
                    ("conflicts", JSONText.conflicts(result.conflicts)),
                    ("seconds", JSONText.seconds(result.duration)),
                ])
            })
    }

    func text(_ palette: Palette) -> String {
        results.map { text($0, palette) }.joined()
    }

    private func text(_ result: PipelineResult, _ palette: Palette) -> String {
        let name = palette.paint(TerminalText.escaped(result.pipeline), .done)
        let changes =
            "\(Figures.count(result.changes, "change")) in \(Figures.count(result.transactions, "transaction")) applied"
        if result.wasComplete {
            let rest = result.transactions > 0 ? changes : "nothing to do"
            return "\(name): already complete: \(rest)\n" + conflicts(result)
        }
        let seconds = result.duration / .seconds(1)
        var text = "\(name): \(Figures.count(result.tables, "table")) copied in \(Figures.fixed(seconds, 1)) s\n"
        text += "  \(Figures.count(result.read, "row")) read, \(result.written) written"
        if result.dropped > 0 { text += ", \(result.dropped) dropped" }
        if result.skipped > 0 { text += ", \(result.skipped) skipped after errors" }
        text += "\n  \(Figures.size(Double(result.bytes)))"
        // What is over at once says nothing of speed.
        if let before = rowsBefore[result.pipeline], seconds >= 1 {
            text += ", \(Figures.fixed(Double(max(0, result.read - before)) / seconds, 0)) rows/s"
        }
        text += "\n"
        if result.transactions > 0 { text += "  \(changes)\n" }
        text += conflicts(result)
        if result.deadLetters > 0 {
            text += "  \(Figures.count(result.deadLetters, "dead letter")): replhost dlq list \(path)\n"
        }
        return text
    }

    private func conflicts(_ result: PipelineResult) -> String {
        result.conflicts.map { "  \(TerminalText.escaped($0.sentence))\n" }.joined()
    }

    /// What stays of work that was interrupted.
    static func interrupted(_ progress: [PipelineProgress]) -> String {
        let parts = progress.filter { !$0.tables.isEmpty }.map { pipeline in
            let total = ProgressRow(pipeline, rate: nil)
            let done = pipeline.tables.count { $0.isDone }
            return "\(TerminalText.escaped(pipeline.pipeline)) has \(done) of "
                + "\(Figures.count(pipeline.tables.count, "table")), \(Figures.count(total.rows, "row")); "
        }
        return parts.joined() + "what is committed stays, and the same command goes on from there"
    }
}
