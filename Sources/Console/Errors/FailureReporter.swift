import Logging
import Scripting

/// Writes failures as people read them, with the line of the script.
struct FailureReporter {
    /// The script's path as it was given; Lua may know it only by its end.
    var script: String?
    /// Chunks that are no files, by name.
    var texts: [String: String]
    var palette: Palette

    init(script: String? = nil, texts: [String: String] = [:], palette: Palette = Terminal.errorPalette) {
        self.script = script
        self.texts = texts
        self.palette = palette
    }

    /// All of them, each with a line break at its end.
    func text(_ reports: [FailureReport]) -> String {
        reports.map { text($0) }.joined(separator: "\n")
    }

    /// Shows them on standard error; the exit code that follows.
    func fail(_ reports: [FailureReport]) -> Int32 {
        let reports = reports.map(\.withoutPasswords)
        switch ScriptLog.output.form {
        case .text: Terminal.writeError(text(reports))
        case .json: for report in reports { Self.logger.error("\(report.message)", metadata: Self.attributes(report)) }
        }
        return ExitCode.failed
    }

    private static let logger = Logger(label: "replhost") { ScriptLog.output.handler(label: $0) }

    private static func attributes(_ report: FailureReport) -> Logger.Metadata {
        var attributes: [String: String] = [:]
        attributes["error.type"] = report.code
        attributes["db.response.status_code"] = report.sqlstate
        attributes["code.file.path"] = report.place?.file
        attributes["code.line.number"] = report.place.map { String($0.line) }
        attributes["exception.stacktrace"] = report.calls.isEmpty ? nil : report.calls.joined(separator: "\n")
        attributes["details"] = report.details
        attributes["hint"] = report.hint
        return attributes.mapValues { "\($0)" }
    }

    enum Level: String {
        case error, warning
    }

    func text(_ report: FailureReport, as level: Level = .error) -> String {
        let report = report.withoutPasswords
        let excerpt = report.place.map { SourceExcerpt($0, line: shownLine(at: $0), for: report) }
        var lines = [heading(report, level)]
        lines += detailLines(report).map { "  " + $0 }
        if let excerpt { lines += excerpt.lines(palette, note: note(report)) }
        if let help = help(report, excerpt) { lines += help }
        lines += callLines(report)
        return lines.joined(separator: "\n") + "\n"
    }

    private func heading(_ report: FailureReport, _ level: Level) -> String {
        let name = report.code.map { "\(level.rawValue)[\($0)]" } ?? level.rawValue
        var message = TerminalText.escapedLines(report.message)
        if let sqlstate = report.sqlstate, !message.contains(sqlstate) { message += " (SQLSTATE \(sqlstate))" }
        return palette.paint(name, level == .error ? .error : .warning) + ": " + message
    }

    private func detailLines(_ report: FailureReport) -> [String] {
        guard let details = report.details else { return [] }
        let lines = TerminalText.escapedLines(details).split(separator: "\n", omittingEmptySubsequences: false)
        return lines.map(String.init)
    }

    /// "did you mean" stands beside the caret.
    private func note(_ report: FailureReport) -> String? {
        guard let hint = report.hint, hint.hasPrefix("Did you mean"), !hint.contains("\n") else { return nil }
        return "d" + TerminalText.escapedLines(hint).dropFirst()
    }

    private func help(_ report: FailureReport, _ excerpt: SourceExcerpt?) -> [String]? {
        guard let hint = report.hint, report.details?.contains("HINT:") != true else { return nil }
        if note(report) != nil, excerpt?.hasCaret == true { return nil }
        let lines = TerminalText.escapedLines(hint).split(separator: "\n").map(String.init)
        guard let first = lines.first else { return nil }
        return ["  " + palette.paint("help:", .help) + " " + first] + lines.dropFirst().map { "        " + $0 }
    }

    /// How the script got there, if it was not all at once.
    private func callLines(_ report: FailureReport) -> [String] {
        guard report.calls.count > 1 else { return [] }
        let calls = Self.folded(report.calls)
        let shown = calls.prefix(Self.shownCalls).map { "    " + TerminalText.escapedLines($0) }
        let missing = calls.count - shown.count
        return [palette.paint("  calls:", .faint)] + shown + (missing > 0 ? ["    ... and \(missing) more"] : [])
    }

    private static let shownCalls = 8

    /// A function that calls itself is one line.
    private static func folded(_ calls: [String]) -> [String] {
        var folded: [(call: String, count: Int)] = []
        for call in calls {
            if folded.last?.call == call { folded[folded.count - 1].count += 1 } else { folded.append((call, 1)) }
        }
        return folded.map { $0.count == 1 ? $0.call : "\($0.call) (\($0.count) times)" }
    }

    /// Nothing of a file that is no text.
    private func shownLine(at place: SourcePlace) -> String? {
        line(at: place).flatMap { $0.contains("\u{FFFD}") ? nil : PasswordText.hidden($0) }
    }

    private func line(at place: SourcePlace) -> String? {
        if let text = texts[place.file] {
            let lines = text.split(separator: "\n", maxSplits: place.line, omittingEmptySubsequences: false)
            return place.line <= lines.count ? String(lines[place.line - 1]) : nil
        }
        return ScriptFile.line(place.line, of: path(of: place))
    }

    private func path(of place: SourcePlace) -> String {
        guard place.file.hasPrefix("..."), let script, script.hasSuffix(place.file.dropFirst(3)) else {
            return place.file
        }
        return script
    }
}

extension FailureReport {
    fileprivate var withoutPasswords: FailureReport {
        var report = self
        report.message = PasswordText.hidden(message)
        report.details = details.map(PasswordText.hidden)
        report.hint = hint.map(PasswordText.hidden)
        report.calls = calls.map(PasswordText.hidden)
        return report
    }
}
