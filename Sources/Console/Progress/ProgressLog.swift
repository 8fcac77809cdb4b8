import Scripting

/// Decides when progress is worth a line of the log: when a phase begins, else every ten seconds. Holds no clock.
struct ProgressLog {
    struct Record: Equatable {
        var message: String
        var fields: [String: String]
    }

    private static let interval = Duration.seconds(10)

    private var last: [String: (phase: PipelineProgress.Phase, time: Duration)] = [:]

    /// The records that are due now.
    mutating func records(_ progress: [PipelineProgress], _ meter: ProgressMeter, at time: Duration) -> [Record] {
        progress.compactMap { pipeline in
            if let last = last[pipeline.pipeline], last.phase == pipeline.phase, time - last.time < Self.interval {
                return nil
            }
            last[pipeline.pipeline] = (pipeline.phase, time)
            return Self.record(pipeline, meter)
        }
    }

    private static func record(_ pipeline: PipelineProgress, _ meter: ProgressMeter) -> Record {
        let total = ProgressRow(pipeline, rate: meter.rate(of: pipeline.pipeline))
        var fields = ["pipeline": pipeline.pipeline, "phase": pipeline.phase.rawValue, "rows": String(total.rows)]
        fields["note"] = pipeline.note
        fields["changes"] = pipeline.stream.map { String($0.changes) }
        fields["lag_bytes"] = pipeline.stream.map { String($0.lag) }
        fields["percent"] = total.percent.map(String.init)
        fields["rows_per_second"] = total.rate.map { Figures.fixed($0.rows, 0) }
        fields["seconds_left"] = total.left.map { Figures.fixed($0 / .seconds(1), 0) }
        return Record(message: ProgressBlock.activity(pipeline), fields: fields)
    }
}
