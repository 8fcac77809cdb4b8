import Scripting

/// Lays progress out in the lines of a terminal.
struct ProgressBlock {
    var width: Int
    var height: Int
    var palette: Palette
    var showsUnicode: Bool

    /// At most `height` - 2 lines, each narrower than the window.
    func lines(_ pipelines: [PipelineProgress], _ meter: ProgressMeter) -> [String] {
        var room = max(1, height - 2)
        let totals = pipelines.map { total($0, meter) }
        room -= totals.reduce(0) { $0 + ($1 == nil ? 1 : 2) }
        // A window that is too low for all says at least what goes on.
        guard room >= 0 else { return pipelines.suffix(max(1, height - 2)).map(status) }
        let tables = pipelines.map { pipeline in
            let running = pipeline.tables.filter { $0.state == .copying }.prefix(room)
            room -= running.count
            return running.map { ProgressRow($0, rate: meter.rate(of: pipeline.pipeline, table: "\($0.source)")) }
        }
        let layout = ProgressLayout(tables.flatMap(\.self) + totals.compactMap(\.self), width: width - 1)
        return pipelines.indices.flatMap { index in
            (tables[index] + [totals[index]].compactMap(\.self)).map { line($0, layout) } + [status(pipelines[index])]
        }
    }

    private func total(_ pipeline: PipelineProgress, _ meter: ProgressMeter) -> ProgressRow? {
        guard pipeline.phase != .streaming, pipeline.tables.contains(where: { $0.state != .waiting }) else {
            return nil
        }
        return ProgressRow(pipeline, rate: meter.rate(of: pipeline.pipeline))
    }

    private func line(_ row: ProgressRow, _ layout: ProgressLayout) -> String {
        var text = TextColumns.padded(
            TextColumns.cutLeft(TerminalText.escaped(row.name), to: layout.name), to: layout.name)
        if layout.bar > 0 { text += "  " + bar(row.fraction, layout.bar) }
        for (column, width) in layout.columns {
            text += "  " + TextColumns.padded(column.text(row), to: width, isRight: true)
        }
        while text.last == " " { text.removeLast() }
        return text
    }

    private func bar(_ fraction: Double?, _ width: Int) -> String {
        let done = Int((fraction ?? 0) * Double(width))
        let (full, empty) = showsUnicode ? ("━", "─") : ("#", "-")
        return palette.paint(String(repeating: full, count: done), .done)
            + palette.paint(String(repeating: empty, count: width - done), .faint)
    }

    private func status(_ pipeline: PipelineProgress) -> String {
        let text = TerminalText.escaped("\(pipeline.pipeline): \(Self.activity(pipeline))")
        return palette.paint(TextColumns.cut(text, to: max(1, width - 1)), .faint)
    }

    static func activity(_ pipeline: PipelineProgress) -> String {
        let text =
            switch pipeline.phase {
            case .connecting: "connecting"
            case .preparing: "preparing"
            case .creating: "making tables"
            case .verifying: "verifying"
            case .copying:
                "\(pipeline.tables.count { $0.isDone }) of \(Figures.count(pipeline.tables.count, "table")) done"
            case .finishing: "finishing (indexes, constraints, …), \(pipeline.stepsDone) of \(pipeline.steps)"
            case .streaming: "following changes"
            case .standby: "standing by"
            case .waiting: "waiting"
            case .done: "done"
            }
        let facts = pipeline.stream.map { ", \(Self.facts($0))" } ?? ""
        return pipeline.note.map { "\(text)\(facts): \($0)" } ?? text + facts
    }

    private static func facts(_ stream: PipelineProgress.Stream) -> String {
        var text = "\(Figures.count(stream.changes, "change")) in \(Figures.count(stream.transactions, "transaction"))"
        text += ", lag \(Figures.size(Double(stream.lag)))"
        if let heartbeat = stream.heartbeat { text += " (\(Figures.fixed(heartbeat / .milliseconds(1), 1)) ms)" }
        if stream.lostHeartbeats > 0 { text += ", \(Figures.count(stream.lostHeartbeats, "heartbeat")) lost" }
        return text
    }
}

/// Which columns the lines of progress have room for.
struct ProgressLayout {
    enum Column: CaseIterable {
        case percent, rows, rowRate, byteRate, left

        /// What is usual, so that lines do not jump.
        var least: Int {
            switch self {
            case .percent: 4
            case .rows: 10
            case .rowRate: 7
            case .byteRate: 8
            case .left: 9
            }
        }

        func text(_ row: ProgressRow) -> String {
            switch self {
            case .percent: row.percent.map { "\($0)%" } ?? ""
            case .rows: "\(Figures.compact(Double(row.rows))) rows"
            case .rowRate: row.rate.map { "\(Figures.compact($0.rows))/s" } ?? ""
            case .byteRate: row.rate.map { "\(Figures.fixed($0.bytes / 1_048_576, 1)) MB/s" } ?? ""
            case .left: row.left.map { "\(Figures.clock($0)) left" } ?? ""
            }
        }
    }

    /// Columns of the window for each part; a bar of 0 is none.
    private(set) var name: Int
    private(set) var bar = 0
    private(set) var columns: [(column: Column, width: Int)] = []

    private static let gap = 2
    private static let bars = 10...30

    init(_ rows: [ProgressRow], width: Int) {
        let longest = rows.map { TerminalText.width(of: TerminalText.escaped($0.name)) }.max() ?? 0
        name = min(longest, max(12, width / 3))
        // What goes first when there is no room; nil is the bar.
        var dropping: [Column?] = [.byteRate, .rowRate, nil, .left, .rows, .percent]
        var hasBar = true
        columns = Column.allCases.map { column in
            (column, max(column.least, rows.map { TerminalText.width(of: column.text($0)) }.max() ?? 0))
        }
        while need(hasBar) > width, !dropping.isEmpty {
            let dropped = dropping.removeFirst()
            if let dropped { columns.removeAll { $0.column == dropped } } else { hasBar = false }
        }
        if hasBar { bar = min(Self.bars.upperBound, Self.bars.lowerBound + max(0, width - need(true))) }
        name = max(1, min(name, width))
    }

    private func need(_ hasBar: Bool) -> Int {
        columns.reduce(name) { $0 + Self.gap + $1.width } + (hasBar ? Self.gap + Self.bars.lowerBound : 0)
    }
}
