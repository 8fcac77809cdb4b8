import Scripting

/// The figures of a run for Prometheus: base units, counters that end in `_total`. Tables that have nothing to count are
/// left out, as there may be thousands.
struct MetricsText {
    private typealias Kind = ExpositionText.Kind
    private typealias Labels = ExpositionText.Labels

    private let figures: RunFigures
    private var output = ExpositionText()

    var text: String { output.text }

    init(_ figures: RunFigures) {
        self.figures = figures
        writeProcess()
        writePipelines()
        writeTables()
        writeStreams()
        writePools()
        for metric in figures.metrics { write(metric) }
    }

    // MARK: Families

    private mutating func writeProcess() {
        output.family("replhost_build_info", .gauge, "Always 1; the labels tell the version.")
        output.sample("replhost_build_info", [("version", HostVersions.replhost)], 1)
        output.family("process_cpu_seconds_total", .counter, "Processor time that was used, in seconds.")
        output.sample("process_cpu_seconds_total", [], figures.processorTime.inSeconds)
        output.family("process_resident_memory_bytes", .gauge, "Memory in use, in bytes.")
        output.sample("process_resident_memory_bytes", [], Double(figures.residentBytes))
        output.family("replhost_uptime_seconds", .gauge, "Since the process began.")
        output.sample("replhost_uptime_seconds", [], figures.uptime.inSeconds)
    }

    private mutating func writePipelines() {
        output.family("replhost_pipeline_phase", .gauge, "1 for the phase that the pipeline is in, 0 for the others.")
        for pipeline in figures.pipelines {
            for phase in PipelineProgress.Phase.allCases {
                output.sample(
                    "replhost_pipeline_phase", [("pipeline", pipeline.name), ("phase", phase.rawValue)],
                    phase == pipeline.phase ? 1 : 0)
            }
        }
        each("replhost_pipeline_ready", .gauge, "1 while the pipeline streams or is done.") { $0.isReady ? 1 : 0 }
        each("replhost_copy_tables", .gauge, "Tables that the pipeline copies.") { Double($0.tables.count) }
        each("replhost_copy_tables_done", .gauge, "Tables that are copied.") { pipeline in
            Double(pipeline.tables.count { $0.state == .copied || $0.state == .kept })
        }
        each("replhost_copy_rows", .gauge, "Rows of the source that were copied, by earlier runs too.") { pipeline in
            Double(pipeline.tables.reduce(0) { $0 + $1.rows })
        }
        each("replhost_copy_bytes", .gauge, "Bytes of COPY data of these rows.") { pipeline in
            Double(pipeline.tables.reduce(0) { $0 + $1.bytes })
        }
    }

    private mutating func writeTables() {
        tables("replhost_table_copied_rows", .gauge, "Rows of the source that were copied.") { table in
            [([("source", "\(table.source)")], Double(table.rows))]
        }
        tables("replhost_table_changes_total", .counter, "Rows of the target that changes were applied to.") { table in
            [("insert", table.inserted), ("update", table.updated), ("delete", table.deleted)].map {
                ([("table", "\(table.target)"), ("operation", $0.0)], Double($0.1))
            }
        }
        tables("replhost_table_conflicts_total", .counter, "Changes that found the target otherwise and were let pass.")
        {
            [([("table", "\($0.target)")], Double($0.conflicts))]
        }
        tables("replhost_table_dead_letters_total", .counter, "Rows that were put aside.") {
            [([("table", "\($0.target)")], Double($0.deadLetters))]
        }
        tables("replhost_table_function_rows_total", .counter, "Rows that the script's function has got.") { table in
            table.function.map { [([("source", "\(table.source)")], Double($0.rows))] } ?? []
        }
        tables("replhost_table_function_seconds_total", .counter, "Time that the script's function has taken.") {
            table in
            table.function.map { [([("source", "\(table.source)")], $0.time.inSeconds)] } ?? []
        }
    }

    private mutating func writeStreams() {
        streams("replhost_stream_transactions_total", .counter, "Transactions of the source that were applied.") {
            Double($0.transactions)
        }
        streams("replhost_stream_changes_total", .counter, "Changes of the source that were applied.") {
            Double($0.changes)
        }
        streams("replhost_stream_lag_bytes", .gauge, "Bytes of the source's log that are not in the target yet.") {
            Double($0.lag)
        }
        streams("replhost_stream_lag_seconds", .gauge, "How far the target is behind the source.") {
            $0.delay.inSeconds
        }
        streams("replhost_stream_heartbeat_seconds", .gauge, "From the source through its log to here, last time.") {
            $0.heartbeat?.inSeconds
        }
        streams("replhost_stream_lost_heartbeats_total", .counter, "Heartbeats that did not come back.") {
            Double($0.lostHeartbeats)
        }
        streams("replhost_stream_replayed_batches_total", .counter, "Batches that were given up and written once more.")
        {
            Double($0.replays)
        }
        streams(
            "replhost_stream_overlapped_batches_total", .counter,
            "Batches that began while others before them were being written."
        ) {
            Double($0.overlaps)
        }
        streams("replhost_slot_retained_bytes", .gauge, "Bytes of log that the source keeps for the slot.") {
            $0.retained.map(Double.init)
        }
        streams("replhost_slot_wal_budget_bytes", .gauge, "Bytes of log that the source may keep.") {
            $0.budget.map(Double.init)
        }
    }

    private mutating func writePools() {
        output.family("replhost_pool_connections", .gauge, "Connections of a pool, by what they do.")
        for pool in figures.pools {
            let other = pool.size - pool.idle - pool.inUse - pool.connecting
            for (state, count) in [
                ("idle", pool.idle), ("in_use", pool.inUse), ("connecting", pool.connecting), ("other", other),
            ] {
                output.sample("replhost_pool_connections", [("pool", pool.name), ("state", state)], Double(count))
            }
        }
        pools("replhost_pool_connections_max", .gauge, "Connections that the pool may have.") { $0.max }
        pools("replhost_pool_waiting", .gauge, "Borrowers who wait for a connection.") { $0.waiting }
        pools("replhost_pool_acquired_total", .counter, "Connections that were lent.") { $0.acquired }
        pools("replhost_pool_waited_total", .counter, "Borrowers who had to wait.") { $0.waited }
        pools("replhost_pool_timeouts_total", .counter, "Borrowers who waited in vain.") { $0.timeouts }
        pools("replhost_pool_created_total", .counter, "Connections that were made.") { $0.created }
        pools("replhost_pool_connect_failures_total", .counter, "Connections that could not be made.") {
            $0.connectFailures
        }
        pools("replhost_pool_dead_connections_total", .counter, "Connections found dead before they were lent.") {
            $0.deadFound
        }
        latencies("replhost_pool_wait_seconds", "Of borrowers who had to wait.") { $0.wait }
        latencies("replhost_pool_use_seconds", "From lending a connection to its return.") { $0.use }
        latencies("replhost_pool_connect_seconds", "For making a connection.") { $0.connect }
    }

    /// What a script counts.
    private mutating func write(_ metric: Metric) {
        let isTotal = metric.kind == .counter && !metric.name.hasSuffix("_total")
        let name = isTotal ? metric.name + "_total" : metric.name
        output.family(name, Kind(metric.kind), metric.help)
        let sorted = metric.series.sorted { left, right in
            left.key.lexicographicallyPrecedes(right.key) { ($0.name, $0.value) < ($1.name, $1.value) }
        }
        for (labels, series) in sorted {
            let labels = labels.map { ($0.name, $0.value) }
            guard metric.kind == .histogram else {
                output.sample(name, labels, series.value)
                continue
            }
            var count = 0
            for (bound, number) in zip(metric.bounds, series.buckets) {
                count += number
                output.sample(name + "_bucket", labels + [("le", ExpositionText.text(bound))], Double(count))
            }
            output.sample(name + "_bucket", labels + [("le", "+Inf")], Double(series.count))
            output.sample(name + "_sum", labels, series.value)
            output.sample(name + "_count", labels, Double(series.count))
        }
    }

    // MARK: Of all pipelines, tables, streams, pools

    private mutating func each(_ name: String, _ kind: Kind, _ help: String, _ value: (RunFigures.Pipeline) -> Double) {
        output.family(name, kind, help)
        for pipeline in figures.pipelines { output.sample(name, [("pipeline", pipeline.name)], value(pipeline)) }
    }

    /// Without those whose value is 0.
    private mutating func tables(
        _ name: String, _ kind: Kind, _ help: String, _ values: (RunFigures.Table) -> [(Labels, Double)]
    ) {
        output.family(name, kind, help)
        for pipeline in figures.pipelines {
            for table in pipeline.tables {
                for (labels, value) in values(table) where value != 0 {
                    output.sample(name, [("pipeline", pipeline.name)] + labels, value)
                }
            }
        }
    }

    private mutating func streams(
        _ name: String, _ kind: Kind, _ help: String, _ value: (RunFigures.Stream) -> Double?
    ) {
        output.family(name, kind, help)
        for pipeline in figures.pipelines {
            guard let stream = pipeline.stream, let value = value(stream) else { continue }
            output.sample(name, [("pipeline", pipeline.name)], value)
        }
    }

    private mutating func pools(_ name: String, _ kind: Kind, _ help: String, _ value: (RunFigures.Pool) -> Int) {
        output.family(name, kind, help)
        for pool in figures.pools { output.sample(name, [("pool", pool.name)], Double(value(pool))) }
    }

    private mutating func latencies(_ name: String, _ help: String, _ value: (RunFigures.Pool) -> RunFigures.Latency) {
        output.family(name, .summary, help)
        for pool in figures.pools {
            let latency = value(pool)
            for (quantile, time) in [("0.5", latency.median), ("0.99", latency.p99)] {
                guard let time else { continue }
                output.sample(name, [("pool", pool.name), ("quantile", quantile)], time.inSeconds)
            }
            output.sample(name + "_sum", [("pool", pool.name)], latency.total.inSeconds)
            output.sample(name + "_count", [("pool", pool.name)], Double(latency.count))
        }
    }
}
