/// What has happened between two looks at a run, for each second.
struct RunRates {
    struct Table: Equatable {
        var rows = 0.0
        var changes = 0.0
        /// The share of the time that the script's function has taken, of one thread's.
        var functionShare: Double?
    }

    private let seconds: Double
    private let before: RunDocument?
    private var tables: [String: RunDocument.Table] = [:]

    /// Nothing is known before there are two looks.
    init(_ before: RunDocument?, _ now: RunDocument) {
        let seconds = now.uptimeSeconds - (before?.uptimeSeconds ?? now.uptimeSeconds)
        self.seconds = seconds
        self.before = seconds > 0 && before?.pid == now.pid ? before : nil
        for pipeline in self.before?.pipelines ?? [] {
            for table in pipeline.tables { tables[Self.key(pipeline, table)] = table }
        }
    }

    var isKnown: Bool { before != nil }

    /// Of one core.
    func processorShare(_ now: RunDocument) -> Double? {
        before.map { (now.cpuSeconds - $0.cpuSeconds) / seconds }
    }

    func table(_ table: RunDocument.Table, of pipeline: RunDocument.Pipeline) -> Table? {
        guard let old = tables[Self.key(pipeline, table)] else { return nil }
        var rates = Table()
        rates.rows = Double(max(0, table.rows - old.rows)) / seconds
        rates.changes = Double(max(0, table.changes - old.changes)) / seconds
        if let function = table.function {
            rates.functionShare = max(0, function.seconds - (old.function?.seconds ?? 0)) / seconds
        }
        return rates
    }

    /// Transactions and changes of a stream.
    func stream(_ pipeline: RunDocument.Pipeline) -> (transactions: Double, changes: Double)? {
        guard let now = pipeline.stream, let old = before?.pipelines.first(where: { $0.name == pipeline.name })?.stream
        else { return nil }
        return (
            Double(max(0, now.transactions - old.transactions)) / seconds,
            Double(max(0, now.changes - old.changes)) / seconds
        )
    }

    private static func key(_ pipeline: RunDocument.Pipeline, _ table: RunDocument.Table) -> String {
        "\(pipeline.name)\u{0}\(table.source)\u{0}\(table.target)"
    }
}

extension RunDocument.Table {
    /// Rows of the target that changes were applied to.
    var changes: Int { inserted + updated + deleted }

    /// Rows that are still to come, as far as the planner knows; nil if it does not.
    var missingRows: Int? { fraction == 1 ? 0 : estimatedRows.map { max(0, $0 - rows) } }

    /// Of the copy, from 0 to 1; nil if nobody knows how much there is.
    var fraction: Double? {
        if state == "copied" || state == "kept" { return 1 }
        if let estimatedRows, estimatedRows > 0 { return min(0.99, Double(rows) / Double(estimatedRows)) }
        return chunks > 1 ? min(0.99, Double(chunksDone) / Double(chunks)) : nil
    }
}
