import Scripting

/// Rates of what pipelines copy, over the last seconds. Holds no clock.
struct ProgressMeter {
    struct Rate: Equatable {
        /// A second.
        var rows: Double
        /// A second.
        var bytes: Double
    }

    private struct Sample {
        var time: Duration
        var rows: Int
        var bytes: Int
    }

    private struct Key: Hashable {
        var pipeline: String
        /// nil: all tables of the pipeline.
        var table: String?
    }

    /// Of the samples that count.
    private static let span = Duration.seconds(5)
    /// What is shorter says too little.
    private static let shortest = Duration.milliseconds(500)

    private var samples: [Key: [Sample]] = [:]
    /// By pipeline, what was there at first: earlier runs have copied it.
    private(set) var rowsBefore: [String: Int] = [:]

    /// To be called a few times a second.
    mutating func note(_ progress: [PipelineProgress], at time: Duration) {
        for pipeline in progress where !pipeline.tables.isEmpty {
            // A finished one has no speed, and there may be thousands that wait.
            for table in pipeline.tables where table.state == .copying {
                add(
                    Sample(time: time, rows: table.rows, bytes: table.bytes),
                    to: Key(pipeline: pipeline.pipeline, table: "\(table.source)"))
            }
            let rows = pipeline.tables.reduce(0) { $0 + $1.rows }
            if rowsBefore[pipeline.pipeline] == nil { rowsBefore[pipeline.pipeline] = rows }
            let bytes = pipeline.tables.reduce(0) { $0 + $1.bytes }
            add(Sample(time: time, rows: rows, bytes: bytes), to: Key(pipeline: pipeline.pipeline))
        }
    }

    /// Of one table, or of all together; nil while nothing can be said.
    func rate(of pipeline: String, table: String? = nil) -> Rate? {
        guard let kept = samples[Key(pipeline: pipeline, table: table)], let first = kept.first, let last = kept.last,
            last.time - first.time >= Self.shortest
        else { return nil }
        let seconds = (last.time - first.time) / .seconds(1)
        return Rate(
            rows: max(0, Double(last.rows - first.rows)) / seconds,
            bytes: max(0, Double(last.bytes - first.bytes)) / seconds)
    }

    /// One sample that is older than the span stays, so that the kept ones cover it. Rows that are taken back (a chunk
    /// begins again) are no speed.
    private mutating func add(_ sample: Sample, to key: Key) {
        var kept = samples[key] ?? []
        if let last = kept.last, sample.rows < last.rows { kept = [] }
        kept.append(sample)
        while kept.count > 2, sample.time - kept[1].time >= Self.span { kept.removeFirst() }
        samples[key] = kept
    }
}
