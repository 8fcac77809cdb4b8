import Glibc
import Logging
import LuaRuntime
import Postgres
import PostgresProtocol
import Replication

extension ScriptHost {
    /// How the process and its pipelines are; from any thread, as often as anybody likes.
    package func figures() async -> RunFigures {
        let workers = await options.figures.workers.look()
        let uptime = ContinuousClock.now - ProcessFigures.started.clock
        return RunFigures(
            processID: getpid(), script: pipelineState.script, time: TimeValue.now().textInMilliseconds,
            startedAt: ProcessFigures.started.time.textInMilliseconds, uptime: uptime,
            residentBytes: ProcessFigures.residentBytes, processorTime: ProcessFigures.processorTime,
            pipelines: pipelineFigures, pools: poolFigures, workers: workers, metrics: options.figures.metrics.all,
            log: ScriptLog.output.warnings.map {
                RunFigures.Record(
                    time: $0.time.textInMilliseconds, level: $0.level.rawValue, message: $0.message, fields: $0.fields)
            })
    }

    /// Of each pipeline what it does last; those that wait for their turn are connecting.
    private var pipelineFigures: [RunFigures.Pipeline] {
        let running = pipelineState.running
        return pipelineState.names.map { name in
            running.last { $0.name == name }.map { RunFigures.Pipeline($0, options.figures.functions) }
                ?? RunFigures.Pipeline(name: name)
        }
    }

    private var poolFigures: [RunFigures.Pool] {
        var named: [(name: String, pool: ConnectionPool)] = []
        func add(_ name: String, _ pool: ConnectionPool) {
            if !named.contains(where: { $0.pool === pool }) { named.append((name, pool)) }
        }
        let pipelines = pipelineState.pipelines
        for pipeline in pipelines {
            let prefix = pipelines.count == 1 ? "" : "\(pipeline.name) "
            add(prefix + "source", pipeline.source)
            add(prefix + "sink", pipeline.sink)
        }
        for pool in options.pools.all { add("pool \(named.count + 1)", pool) }
        return named.map { RunFigures.Pool($0.name, $0.pool.statistics()) }
    }
}

extension RunFigures.Pipeline {
    fileprivate init(name: String) {
        self.init(
            name: name, phase: .connecting, note: nil, elapsed: .zero, steps: 0, stepsDone: 0, deadLetters: 0,
            lastFailure: nil, stream: nil, tables: [])
    }

    fileprivate init(_ running: PipelineState.Running, _ functions: FunctionTimes) {
        let progress = PipelineProgress(running)
        let state = running.stream?.state
        let letters = running.progress.state.tables.reduce(into: [:]) { $0[$1.target, default: 0] += $1.deadLetters }
        var tables = progress.tables.map { RunFigures.Table($0) }
        let copied = Set(tables.map(\.source))
        tables += (state?.tables ?? []).filter { !copied.contains($0.source) }.map(RunFigures.Table.init)
        for index in tables.indices {
            tables[index].deadLetters = letters[tables[index].target] ?? 0
            if let time = functions.known(running.name, tables[index].source) {
                tables[index].function = (time.rows, time.time)
            }
            if let state { tables[index].note(state) }
        }
        // Such that functions send rows to.
        let targets = Set(tables.map(\.target))
        tables += (state?.applied.keys.filter { !targets.contains($0) } ?? []).sorted().map {
            var table = RunFigures.Table((source: $0, target: $0))
            if let state { table.note(state) }
            return table
        }
        self.init(
            name: running.name, phase: progress.phase, note: progress.note, elapsed: progress.elapsed,
            steps: progress.steps, stepsDone: progress.stepsDone,
            deadLetters: tables.reduce(0) { $0 + $1.deadLetters },
            lastFailure: running.progress.state.failure.map(RunFigures.Failure.init),
            stream: state.flatMap { RunFigures.Stream($0, budget: running.definition.stream.walBudget?.size) },
            tables: tables)
    }
}

extension RunFigures.Failure {
    fileprivate init(_ failure: (error: ReplicationError, at: ContinuousClock.Instant)) {
        let report = FailureReport(failure.error, showsValues: false)
        let ago = (ContinuousClock.now - failure.at).components
        var time = TimeValue.now()
        time.microseconds -= ago.seconds * 1_000_000 + ago.attoseconds / 1_000_000_000_000
        self.init(code: report.code, message: report.message, time: time.textInMilliseconds)
    }
}

extension RunFigures.Table {
    fileprivate init(_ table: PipelineProgress.Table) {
        self.init(
            source: table.source, target: table.target, state: table.state, rows: table.rows,
            estimatedRows: table.estimatedRows, bytes: table.bytes, chunks: table.chunks,
            chunksDone: table.chunksDone, inserted: 0, updated: 0, deleted: 0, conflicts: 0, deadLetters: 0)
    }

    /// One that was not copied by this process.
    fileprivate init(_ names: (source: QualifiedName, target: QualifiedName)) {
        self.init(
            source: names.source, target: names.target, state: .kept, rows: 0, bytes: 0, chunks: 0, chunksDone: 0,
            inserted: 0, updated: 0, deleted: 0, conflicts: 0, deadLetters: 0)
    }

    fileprivate mutating func note(_ state: StreamProgress.State) {
        let counts = state.applied[target] ?? ChangeCounts()
        (inserted, updated, deleted) = (counts.inserted, counts.updated, counts.deleted)
        deadLetters += counts.deadLetters
        conflicts = state.conflicts[target]?.total ?? 0
    }
}

extension RunFigures.Stream {
    /// Nil before changes are followed.
    fileprivate init?(_ state: StreamProgress.State, budget: Int?) {
        guard state.phase != .idle else { return nil }
        let total = state.applied.total
        self.init(
            transactions: state.transactions, changes: state.changes, inserted: total.inserted,
            updated: total.updated, deleted: total.deleted, lag: state.lag, delay: Self.delay(state),
            heartbeat: state.heartbeat, lostHeartbeats: state.lostHeartbeats, retained: state.retained,
            budget: budget, position: state.position.description,
            commitTime: state.commitTime.map { Self.time($0).textInMilliseconds },
            conflicts: state.conflicts.total, replays: state.replays, overlaps: state.overlaps)
    }

    private static func delay(_ state: StreamProgress.State) -> Duration {
        guard state.lag > 0 else { return .zero }
        let behind = ContinuousClock.now - state.caughtUpAt
        guard let commitTime = state.commitTime else { return behind }
        return min(behind, .microseconds(max(0, TimeValue.now().microseconds - time(commitTime).microseconds)))
    }

    /// PostgreSQL counts from 2000 on.
    private static func time(_ microseconds: Int64) -> TimeValue {
        TimeValue(.timestamptz, microseconds: microseconds + 946_684_800_000_000)
    }
}

extension RunFigures.Pool {
    fileprivate init(_ name: String, _ facts: PoolStatistics) {
        let counters = facts.counters
        self.init(
            name: name, max: facts.max, min: facts.min, size: facts.size, idle: facts.idle, inUse: facts.inUse,
            connecting: facts.connecting, waiting: facts.waiting, isClosed: facts.isClosed,
            lastFailure: facts.lastFailure?.summary, acquired: Int(counters.acquired), waited: Int(counters.waited),
            timeouts: Int(counters.timeouts), created: Int(counters.created),
            connectFailures: Int(counters.connectsFailed), deadFound: Int(counters.deadFound),
            wait: RunFigures.Latency(facts.wait), use: RunFigures.Latency(facts.use),
            connect: RunFigures.Latency(facts.connect))
    }
}

extension RunFigures.Latency {
    fileprivate init(_ histogram: LatencyHistogram) {
        self.init(
            count: Int(histogram.count), total: .nanoseconds(histogram.total), median: histogram.quantile(0.5),
            p99: histogram.quantile(0.99))
    }
}
