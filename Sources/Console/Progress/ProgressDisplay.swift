import Logging
import Scripting

/// Shows how a host's pipelines get on: on a terminal in lines that are drawn anew, else in the log.
struct ProgressDisplay {
    private static let interval = Duration.milliseconds(125)

    private let host: ScriptHost
    private let isLive = Terminal.errorIsLive

    init(_ host: ScriptHost) { self.host = host }

    /// Until the task is cancelled; how many rows each pipeline had at first.
    func follow() async -> [String: Int] {
        let started = ContinuousClock.now
        var meter = ProgressMeter()
        var log = ProgressLog()
        while !Task.isCancelled {
            let time = ContinuousClock.now - started
            let progress = host.progress().latest
            meter.note(progress, at: time)
            if isLive { draw(progress, meter) } else { write(log.records(progress, meter, at: time)) }
            try? await Task.sleep(for: Self.interval)
        }
        if isLive { LiveBlock.shared.clear() }
        return meter.rowsBefore
    }

    private func draw(_ progress: [PipelineProgress], _ meter: ProgressMeter) {
        let size = Terminal.errorSize
        let block = ProgressBlock(
            width: size.width, height: size.height, palette: Terminal.errorPalette,
            showsUnicode: Terminal.showsUnicode)
        LiveBlock.shared.draw(block.lines(progress, meter))
    }

    private func write(_ records: [ProgressLog.Record]) {
        let logger = Logger(label: "progress") { ScriptLog.output.handler(label: $0) }
        for record in records {
            logger.info("\(record.message)", metadata: record.fields.mapValues { "\($0)" })
        }
    }
}
