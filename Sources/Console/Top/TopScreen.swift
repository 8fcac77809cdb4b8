import Scripting

/// Lays a run out in a terminal: what the process does, each pipeline, its busiest tables, pools and the last problems.
struct TopScreen {
    enum Order: String, CaseIterable {
        /// The most rows and changes a second first.
        case rate
        case name
        /// The most time in the script's functions first.
        case lua
    }

    var width: Int
    var height: Int
    var palette: Palette
    var order = Order.rate
    /// How many tables are above the window.
    var offset = 0

    /// All of it, for standard output.
    static func text(_ document: RunDocument, _ rates: RunRates) -> String {
        let width = Terminal.outputIsTerminal ? Terminal.outputWidth : widthOfFiles
        let height = 50 + document.pipelines.reduce(0) { $0 + $1.tables.count }
        let screen = TopScreen(width: width, height: height, palette: Terminal.outputPalette)
        return screen.lines(document, rates).dropLast().map { $0 + "\n" }.joined()
    }

    private static let widthOfFiles = 160

    /// At most `height` lines, each at most as wide as the window.
    func lines(_ document: RunDocument, _ rates: RunRates) -> [String] {
        let top = heading(document, rates) + document.pipelines.flatMap { pipeline($0, rates) }
        let bottom = pools(document) + problems(document) + [keys]
        let room = max(0, height - top.count - bottom.count - 2)
        let rows = tables(document, rates)
        let shown = rows.dropFirst(min(offset, max(0, rows.count - room))).prefix(room)
        let table = rows.isEmpty ? [] : [""] + layout(Array(shown), all: rows)
        return Array((top + table + bottom).prefix(max(1, height)))
    }

    /// How far one can go down.
    func lastOffset(_ document: RunDocument) -> Int {
        max(0, document.pipelines.reduce(0) { $0 + $1.tables.count } - 1)
    }

    // MARK: Above

    private func heading(_ document: RunDocument, _ rates: RunRates) -> [String] {
        var parts = ["pid \(document.pid)", "up \(Figures.clock(.seconds(document.uptimeSeconds)))"]
        parts.append(Figures.size(Double(document.memoryBytes)))
        if let share = rates.processorShare(document) { parts.append("cpu \(Self.percent(share))") }
        let lua = document.workers.reduce(0) { $0 + $1.luaBytes }
        parts.append("\(Figures.count(document.workers.count, "Lua state")), \(Figures.size(Double(lua)))")
        return wrapped([document.script ?? "-"] + parts, .help)
    }

    private func pipeline(_ pipeline: RunDocument.Pipeline, _ rates: RunRates) -> [String] {
        var parts = [pipeline.phase]
        if pipeline.phase == "copying" { parts += progress(pipeline, rates) }
        if pipeline.phase == "finishing" { parts.append("\(pipeline.stepsDone) of \(pipeline.steps) steps") }
        if let stream = pipeline.stream { parts += facts(stream, rates.stream(pipeline)) }
        if pipeline.deadLetters > 0 { parts.append(Figures.count(pipeline.deadLetters, "dead letter")) }
        parts[0] = "\(pipeline.name): \(parts[0])"
        if let note = pipeline.note { parts.append(note) }
        return wrapped(parts, pipeline.phase == "waiting" ? .warning : .done)
    }

    /// Of the copy: how much there is, how fast it goes, how long it still takes.
    private func progress(_ pipeline: RunDocument.Pipeline, _ rates: RunRates) -> [String] {
        let tables = pipeline.tables
        let done = tables.count { $0.fraction == 1 }
        var parts = ["\(done) of \(Figures.count(tables.count, "table")) done"]
        let rate = tables.reduce(0) { $0 + (rates.table($1, of: pipeline)?.rows ?? 0) }
        guard rates.isKnown else { return parts }
        parts.append("\(Figures.compact(rate)) rows/s")
        let missing = tables.map(\.missingRows)
        guard rate > 0, !missing.contains(nil) else { return parts }
        let rows = missing.reduce(0) { $0 + Double($1 ?? 0) }
        return parts + ["\(Figures.clock(.seconds(rows / rate))) left"]
    }

    private func facts(_ stream: RunDocument.Stream, _ rates: (transactions: Double, changes: Double)?) -> [String] {
        var parts: [String] = []
        if let rates {
            parts.append("\(Figures.compact(rates.changes)) changes/s, \(Figures.compact(rates.transactions)) tx/s")
        }
        parts.append("lag \(Figures.size(Double(stream.lagBytes))) (\(Self.time(stream.lagSeconds)))")
        if let heartbeat = stream.heartbeatSeconds { parts.append("heartbeat \(Self.time(heartbeat))") }
        if let retained = stream.retainedBytes {
            let budget = stream.walBudgetBytes.map { " of \(Figures.size(Double($0)))" } ?? ""
            parts.append("log kept \(Figures.size(Double(retained)))\(budget)")
        }
        if stream.conflicts > 0 { parts.append(Figures.count(stream.conflicts, "conflict")) }
        return parts
    }

    // MARK: Tables

    private struct Row {
        var name: String
        var cells: [String]
        var rate: Double
        var share: Double
    }

    private static let titles = ["state", "rows", "%", "rows/s", "changes", "changes/s", "lua", "dead"]
    /// What goes first where there is no room.
    private static let dropping = ["dead", "changes", "%", "lua", "rows", "rows/s", "state", "changes/s"]

    private func tables(_ document: RunDocument, _ rates: RunRates) -> [Row] {
        let rows = document.pipelines.flatMap { pipeline in
            pipeline.tables.map { table in row(table, rates.table(table, of: pipeline)) }
        }
        switch order {
        case .name: return rows.sorted { $0.name < $1.name }
        case .rate: return rows.sorted { ($1.rate, $0.name) < ($0.rate, $1.name) }
        case .lua: return rows.sorted { ($1.share, $0.name) < ($0.share, $1.name) }
        }
    }

    private func row(_ table: RunDocument.Table, _ rates: RunRates.Table?) -> Row {
        let name = table.source == table.target ? table.source : "\(table.source) → \(table.target)"
        let share = rates?.functionShare
        return Row(
            name: TerminalText.escaped(name),
            cells: [
                table.state, Figures.compact(Double(table.rows)), table.fraction.map(Self.percent) ?? "",
                rates.map { Figures.compact($0.rows) } ?? "", Figures.compact(Double(table.changes)),
                rates.map { Figures.compact($0.changes) } ?? "", share.map(Self.percent) ?? "",
                table.deadLetters > 0 ? String(table.deadLetters) : "",
            ], rate: (rates?.rows ?? 0) + (rates?.changes ?? 0), share: share ?? 0)
    }

    /// The columns are as wide as all rows need, so that nothing jumps while somebody goes down.
    private func layout(_ shown: [Row], all: [Row]) -> [String] {
        var columns = Self.titles.indices.map { index in
            (index: index, width: max(Self.titles[index].count, all.map { $0.cells[index].count }.max() ?? 0))
        }
        var dropping = Self.dropping[...]
        while columns.reduce(20, { $0 + $1.width + 2 }) > width, let title = dropping.popFirst() {
            columns.removeAll { Self.titles[$0.index] == title }
        }
        let room = max(1, width - columns.reduce(0) { $0 + $1.width + 2 })
        let longest = all.map { TerminalText.width(of: $0.name) }.max() ?? 0
        let name = min(room, max(5, longest))
        func text(_ first: String, _ cells: [String]) -> String {
            columns.reduce(TextColumns.padded(TextColumns.cutLeft(first, to: name), to: name)) { text, column in
                text + "  " + TextColumns.padded(cells[column.index], to: column.width, isRight: column.index > 0)
            }
        }
        return [palette.paint(text("table", Self.titles), .faint)] + shown.map { text($0.name, $0.cells) }
    }

    // MARK: Below

    private func pools(_ document: RunDocument) -> [String] {
        let parts = document.pools.map { pool in
            var text = "\(pool.name) \(pool.inUse)/\(pool.max) in use"
            if pool.waiting > 0 { text += ", \(pool.waiting) waiting" }
            if let p99 = pool.wait.p99 { text += ", waits up to \(Self.time(p99))" }
            return text
        }
        return wrapped(parts.enumerated().map { $0.offset == 0 ? "pools: \($0.element)" : $0.element }, .place)
    }

    private func problems(_ document: RunDocument) -> [String] {
        let failures = document.pipelines.compactMap { pipeline in
            pipeline.lastError.map { "\(pipeline.name): \($0.code.map { "[\($0)] " } ?? "")\($0.message)" }
        }
        let records = document.log.suffix(2).map { "\($0.time.dropFirst(11).prefix(8)) \($0.level): \($0.message)" }
        return failures.map { line("last error of \($0)", .error) } + records.map { line($0, .warning) }
    }

    private var keys: String { line("q leaves · s sorts (by \(order.rawValue)) · arrows go up and down", .faint) }

    /// As many of the parts in each line as it has room for.
    private func wrapped(_ parts: [String], _ role: Palette.Role) -> [String] {
        var lines: [String] = []
        for part in parts.map(TerminalText.escaped) {
            let joined = lines.last.map { "\($0) · \(part)" }
            if let joined, TerminalText.width(of: joined) <= width {
                lines[lines.count - 1] = joined
            } else {
                lines.append(lines.isEmpty ? part : "  " + part)
            }
        }
        return lines.map { palette.paint(TextColumns.cut($0, to: width), role) }
    }

    private func line(_ text: String, _ role: Palette.Role) -> String {
        palette.paint(TextColumns.cut(TerminalText.escaped(text), to: width), role)
    }

    private static func percent(_ share: Double) -> String { "\(Figures.fixed(share * 100, 0))%" }

    private static func time(_ seconds: Double) -> String {
        if seconds < 1 { return "\(Figures.fixed(seconds * 1000, seconds < 0.1 ? 1 : 0)) ms" }
        return seconds < 60 ? "\(Figures.fixed(seconds, 1)) s" : Figures.clock(.seconds(seconds))
    }
}
