import Scripting

/// One line of progress: a table, or a pipeline in all.
struct ProgressRow: Equatable {
    var name: String
    /// From 0 to 1; nil if nobody knows how much there is.
    var fraction: Double?
    var rows: Int
    var rate: ProgressMeter.Rate?
    var left: Duration?

    var percent: Int? { fraction.map { Int($0 * 100) } }

    init(_ table: PipelineProgress.Table, rate: ProgressMeter.Rate?) {
        self.init(
            name: "\(table.source)", fraction: table.fraction, rows: table.rows, rate: rate,
            missing: table.missingRows)
    }

    /// All tables of a pipeline; large ones count for more.
    init(_ pipeline: PipelineProgress, rate: ProgressMeter.Rate?) {
        let tables = pipeline.tables
        let total = tables.reduce(0) { $0 + $1.expectedRows }
        let missing = tables.reduce(0) { $0 + ($1.missingRows ?? 0) }
        var fraction: Double?
        if tables.contains(where: { $0.missingRows != nil }) || tables.allSatisfy(\.isDone) {
            fraction = total > 0 ? Double(total - missing) / Double(total) : nil
        }
        if tables.allSatisfy(\.isDone) { fraction = 1 } else { fraction = fraction.map { min($0, 0.99) } }
        self.init(
            name: pipeline.pipeline, fraction: tables.isEmpty ? nil : fraction,
            rows: tables.reduce(0) { $0 + $1.rows }, rate: rate,
            missing: tables.allSatisfy { $0.missingRows != nil } ? missing : nil)
    }

    private init(name: String, fraction: Double?, rows: Int, rate: ProgressMeter.Rate?, missing: Int?) {
        self.name = name
        self.fraction = fraction
        self.rows = rows
        self.rate = rate
        guard let missing, missing > 0, let rate, rate.rows > 0 else { return }
        left = .milliseconds((min(Double(missing) / rate.rows, 1e9) * 1000).rounded())
    }
}

extension PipelineProgress.Table {
    var isDone: Bool {
        switch state {
        case .copied, .kept: true
        case .waiting, .copying: false
        }
    }

    /// Rows that are still to come, as far as the planner knows; nil if it does not.
    var missingRows: Int? {
        if isDone { return 0 }
        return estimatedRows.map { max(0, $0 - rows) }
    }

    var expectedRows: Int { isDone ? rows : max(estimatedRows ?? 0, rows) }

    /// By rows, else by chunks. Only what is done is 1.
    var fraction: Double? {
        if isDone { return 1 }
        if let estimatedRows, estimatedRows > 0 { return min(Double(rows) / Double(estimatedRows), 0.99) }
        return chunks > 1 ? min(Double(chunksDone) / Double(chunks), 0.99) : nil
    }
}

extension [PipelineProgress] {
    /// One for each pipeline: what it does last.
    var latest: [PipelineProgress] {
        enumerated().filter { index, progress in
            !self[(index + 1)...].contains { $0.pipeline == progress.pipeline }
        }.map(\.element)
    }
}
