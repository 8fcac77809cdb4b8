import PostgresProtocol
import Scripting

/// What `check` has found, each in the shape of an error.
struct CheckView: ReportView {
    var findings: [CheckFinding]
    var reporter: FailureReporter

    var json: String {
        JSONText.object([
            ("errors", String(count(.error))), ("warnings", String(count(.warning))),
            ("findings", JSONText.array(findings.map(Self.object))),
        ])
    }

    private static func object(_ finding: CheckFinding) -> String {
        JSONText.object(
            [
                ("severity", JSONText.string(finding.severity.rawValue)),
                ("pipeline", JSONText.string(finding.pipeline)),
            ] + JSONText.fields(finding.report))
    }

    func text(_ palette: Palette) -> String {
        guard !findings.isEmpty else { return "no findings\n" }
        var reporter = reporter
        reporter.palette = palette
        let blocks = findings.map { reporter.text(named($0), as: level($0)) }
        return (blocks + [summary + "\n"]).joined(separator: "\n")
    }

    /// A file's only pipeline needs no name.
    private func named(_ finding: CheckFinding) -> FailureReport {
        var report = finding.report
        let names = Set(findings.compactMap(\.pipeline))
        guard let name = finding.pipeline, names.count > 1 else { return report }
        report.message = "\(name): \(report.message)"
        return report
    }

    private func level(_ finding: CheckFinding) -> FailureReporter.Level {
        switch finding.severity {
        case .error: .error
        case .warning: .warning
        }
    }

    private var summary: String {
        let (errors, warnings) = (count(.error), count(.warning))
        return [
            errors > 0 ? Figures.count(errors, "error") : nil, warnings > 0 ? Figures.count(warnings, "warning") : nil,
        ].compactMap(\.self).joined(separator: ", ")
    }

    private func count(_ severity: CheckFinding.Severity) -> Int { findings.count { $0.severity == severity } }
}
