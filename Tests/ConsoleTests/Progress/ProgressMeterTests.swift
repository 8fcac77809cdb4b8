import PostgresProtocol
import Testing

@testable import Console
@testable import Scripting

@Suite struct ProgressMeterTests {
    private func progress(rows: Int, _ phase: PipelineProgress.Phase = .copying) -> [PipelineProgress] {
        let name = QualifiedName(schema: "public", name: "a")
        let table = PipelineProgress.Table(
            source: name, target: name, state: .copying, rows: rows, estimatedRows: 1000, bytes: rows * 10,
            chunksDone: 0, chunks: 1)
        return [
            PipelineProgress(
                pipeline: "shop", phase: phase, elapsed: .zero, tables: rows < 0 ? [] : [table], stepsDone: 0, steps: 0)
        ]
    }

    @Test func tellsTheRateOfTheLastFiveSeconds() {
        var meter = ProgressMeter()
        for second in 0...10 { meter.note(progress(rows: second < 5 ? 0 : (second - 5) * 100), at: .seconds(second)) }

        #expect(meter.rate(of: "shop") == .init(rows: 100, bytes: 1000))
        #expect(meter.rate(of: "shop", table: "public.a") == .init(rows: 100, bytes: 1000))
        #expect(meter.rate(of: "other") == nil)
    }

    @Test func saysNothingAfterAMoment() {
        var meter = ProgressMeter()
        meter.note(progress(rows: 0), at: .zero)
        meter.note(progress(rows: 10), at: .milliseconds(400))

        #expect(meter.rate(of: "shop") == nil)
    }

    @Test func takesWhatWasThereAtFirstForNoSpeed() {
        var meter = ProgressMeter()
        meter.note(progress(rows: -1), at: .zero)
        meter.note(progress(rows: 500), at: .seconds(1))
        meter.note(progress(rows: 600), at: .seconds(2))

        #expect(meter.rate(of: "shop")?.rows == 100)
        #expect(meter.rowsBefore == ["shop": 500])
    }

    @Test func beginsAnewWhenRowsAreTakenBack() {
        var meter = ProgressMeter()
        meter.note(progress(rows: 500), at: .zero)
        meter.note(progress(rows: 100), at: .seconds(1))
        meter.note(progress(rows: 200), at: .seconds(2))

        #expect(meter.rate(of: "shop")?.rows == 100)
    }

    @Test func logsPhasesAtOnceAndElseEveryTenSeconds() {
        var (meter, log) = (ProgressMeter(), ProgressLog())
        var phases: [[String]] = []
        for second in 0...21 {
            let progress = progress(rows: second * 10, second < 3 ? .creating : .copying)
            meter.note(progress, at: .seconds(second))
            let records = log.records(progress, meter, at: .seconds(second))
            if let record = records.first { phases.append([String(second), record.fields["phase"] ?? ""]) }
        }

        #expect(phases == [["0", "creating"], ["3", "copying"], ["13", "copying"]])
    }

    @Test func logsFieldsForMachines() {
        var (meter, log) = (ProgressMeter(), ProgressLog())
        meter.note(progress(rows: 0), at: .zero)
        meter.note(progress(rows: 200), at: .seconds(2))
        let records = log.records(progress(rows: 200), meter, at: .seconds(2))

        #expect(
            records == [
                .init(
                    message: "0 of 1 table done",
                    fields: [
                        "pipeline": "shop", "phase": "copying", "rows": "200", "percent": "20",
                        "rows_per_second": "100", "seconds_left": "8",
                    ])
            ])
    }
}
