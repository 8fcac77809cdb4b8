import PostgresProtocol
import Scripting

/// What `cutover` has done.
struct CutOverView: ReportView {
    var reports: [CutOverReport]
    var path: String

    var json: String { JSONText.array(reports.map(Self.object)) }

    private static func object(_ report: CutOverReport) -> String {
        JSONText.object([
            ("pipeline", JSONText.string(report.pipeline)), ("done", String(report.isDone)),
            ("position", JSONText.string(report.position)), ("sequences", String(report.sequences)),
            ("way_back", String(report.hasWayBack)), ("seconds", JSONText.seconds(report.duration)),
            ("differences", String(report.verifications.reduce(0) { $0 + $1.missing + $1.extra + $1.different })),
        ])
    }

    func text(_ palette: Palette) -> String { reports.map { text($0, palette) }.joined() }

    private func text(_ report: CutOverReport, _ palette: Palette) -> String {
        let name = TerminalText.escaped("pipeline \"\(report.pipeline)\"")
        let comparison = report.verifications.isEmpty ? "" : VerifyView(reports: report.verifications).text(palette)
        guard report.isDone else {
            return "\(comparison)\(name) was not cut over: the target differs. It can be run again.\n"
        }
        var text =
            "\(comparison)\(name) is cut over at \(report.position), "
            + "\(Figures.count(report.sequences, "sequence")) moved: the target is the application's now.\n"
        if report.hasWayBack {
            let file = TerminalText.escaped(path)
            text += "The way back: replhost run --back \(file) (replhost drop --back \(file) gives it up)\n"
        }
        return text
    }
}
