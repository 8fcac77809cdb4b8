import PostgresProtocol
import Testing

@testable import Console
@testable import Scripting

@Suite struct MetricsTextTests {
    private static func figures(_ tables: [RunFigures.Table] = []) -> RunFigures {
        RunFigures(
            processID: 1, script: "/shop.lua", time: "2026-01-01T00:00:01.000Z", startedAt: "2026-01-01T00:00:00.000Z",
            uptime: .seconds(1), residentBytes: 4096, processorTime: .milliseconds(1500),
            pipelines: [
                RunFigures.Pipeline(
                    name: "shop", phase: .streaming, note: nil, elapsed: .seconds(1), steps: 2, stepsDone: 2,
                    deadLetters: 0, lastFailure: nil,
                    stream: RunFigures.Stream(
                        transactions: 3, changes: 7, inserted: 4, updated: 2, deleted: 1, lag: 100,
                        delay: .milliseconds(20), heartbeat: nil, lostHeartbeats: 0, retained: 9, budget: nil,
                        position: "0/1", commitTime: nil, conflicts: 0, replays: 0, overlaps: 0), tables: tables)
            ], pools: [], workers: [], metrics: [], log: [])
    }

    private static func table(_ name: String) -> RunFigures.Table {
        RunFigures.Table(
            source: QualifiedName(schema: "public", name: name), target: QualifiedName(schema: "public", name: name),
            state: .copied, rows: 12, estimatedRows: nil, bytes: 5, chunks: 1, chunksDone: 1, inserted: 4, updated: 0,
            deleted: 0, conflicts: 0, deadLetters: 0, function: (12, .milliseconds(250)))
    }

    private func lines(_ figures: RunFigures) -> [String] {
        MetricsText(figures).text.split(separator: "\n").map(String.init)
    }

    @Test func unitsAreBaseUnits() {
        let lines = lines(Self.figures([Self.table("t")]))

        #expect(lines.contains("process_cpu_seconds_total 1.5"))
        #expect(lines.contains(#"replhost_stream_lag_seconds{pipeline="shop"} 0.02"#))
        #expect(lines.contains(#"replhost_stream_lag_bytes{pipeline="shop"} 100"#))
        #expect(
            lines.contains(
                #"replhost_table_function_seconds_total{pipeline="shop",source="public.t"} 0.25"#))
        #expect(lines.contains(#"replhost_pipeline_phase{pipeline="shop",phase="streaming"} 1"#))
        #expect(lines.contains(#"replhost_pipeline_phase{pipeline="shop",phase="copying"} 0"#))
    }

    @Test func whatIsNotKnownIsLeftOut() {
        let lines = lines(Self.figures())

        #expect(!lines.contains { $0.hasPrefix("replhost_stream_heartbeat_seconds") })
        #expect(!lines.contains { $0.hasPrefix("replhost_slot_wal_budget_bytes{") })
    }

    @Test func tablesWithNothingToCountAreLeftOut() {
        let lines = lines(Self.figures([Self.table("t")])).filter { $0.contains("operation=") }

        #expect(lines == [#"replhost_table_changes_total{pipeline="shop",table="public.t",operation="insert"} 4"#])
    }

    @Test func labelsAreEscaped() {
        let text = MetricsText(Self.figures([Self.table("a\\b\n\"c")])).text

        #expect(text.contains(#"source="public.\"a\\b\n\"\"c\"""#))
        #expect(text.split(separator: "\n").allSatisfy { $0.hasPrefix("#") || $0.contains(" ") })
    }

    @Test func everySampleBelongsToTheFamilyBefore() {
        var family = ""
        for line in lines(Self.figures([Self.table("t")])) {
            if line.hasPrefix("# TYPE ") { family = String(line.split(separator: " ")[2]) }
            guard !line.hasPrefix("#") else { continue }
            let name = line.prefix { $0 != "{" && $0 != " " }
            let plain = ["_sum", "_count", "_bucket"].reduce(String(name)) { name, suffix in
                name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : name
            }
            #expect(name == family || plain == family)
        }
    }

    @Test func histogramsOfScriptsAreCumulative() {
        var metric = Metric(name: "wait_seconds", kind: .histogram, help: nil, bounds: [1, 2.5])
        for number in [0.5, 1, 2, 9] { _ = metric.update([], limit: 10) { $0.observe(number) } }
        var figures = Self.figures()
        figures.metrics = [metric, Metric(name: "orders", kind: .counter, help: "Orders.", bounds: [])]

        let lines = lines(figures)

        #expect(lines.contains(#"wait_seconds_bucket{le="1"} 2"#))
        #expect(lines.contains(#"wait_seconds_bucket{le="2.5"} 3"#))
        #expect(lines.contains(#"wait_seconds_bucket{le="+Inf"} 4"#))
        #expect(lines.contains("wait_seconds_sum 12.5"))
        #expect(lines.contains("wait_seconds_count 4"))
        #expect(lines.contains("# TYPE orders_total counter"))
    }
}
