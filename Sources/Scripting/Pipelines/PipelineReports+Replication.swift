import PostgresProtocol
import Replication

extension PipelineProgress {
    init(_ running: PipelineState.Running) {
        let state = running.progress.state
        self.init(
            pipeline: running.name, phase: Phase(state.phase), note: state.note,
            elapsed: ContinuousClock.now - running.progress.started, tables: state.tables.map(Table.init),
            stepsDone: state.stepsDone, steps: state.steps)
        if let stream = running.stream?.state { note(stream) }
    }

    private mutating func note(_ state: StreamProgress.State) {
        switch state.phase {
        case .idle: return
        case .connecting: phase = phase == .copying || phase == .finishing ? phase : .connecting
        case .standby: phase = .standby
        case .streaming: phase = .streaming
        case .waiting: phase = .waiting
        }
        note = state.note ?? note
        stream = Stream(
            transactions: state.transactions, changes: state.changes, lag: state.lag, heartbeat: state.heartbeat,
            lostHeartbeats: state.lostHeartbeats, retained: state.retained,
            conflicts: state.conflicts.total)
    }
}

extension PipelineProgress.Phase {
    init(_ phase: CopyProgress.Phase) {
        switch phase {
        case .connecting: self = .connecting
        case .preparing: self = .preparing
        case .creating: self = .creating
        case .copying: self = .copying
        case .verifying: self = .verifying
        case .finishing: self = .finishing
        case .waiting: self = .waiting
        case .done: self = .done
        }
    }
}

extension PipelineProgress.Table {
    init(_ table: CopyProgress.Table) {
        let state: State =
            if table.isKept {
                .kept
            } else if table.chunksRunning > 0 {
                .copying
            } else if table.chunks > 0, table.chunksDone == table.chunks {
                .copied
            } else if table.chunksDone > 0 {
                .copying
            } else {
                .waiting
            }
        self.init(
            source: table.source, target: table.target, state: state, rows: table.rows,
            estimatedRows: table.estimatedRows, bytes: table.bytes, chunksDone: table.chunksDone, chunks: table.chunks)
    }
}

extension PipelineResult {
    init(_ result: PipelineRun.Result, _ pipeline: String, _ duration: Duration) {
        self.init(
            pipeline: pipeline, wasComplete: result.wasComplete, tables: result.tables, read: result.counts.read,
            written: result.counts.written, dropped: result.counts.dropped, skipped: result.counts.skipped,
            deadLetters: result.counts.deadLetters, bytes: result.counts.bytes, duration: duration)
    }
}

extension PipelineResult {
    init(
        _ result: PipelineRun.Result, _ stream: StreamProgress.State, _ pipeline: String, _ duration: Duration
    ) {
        self.init(result, pipeline, duration)
        transactions = stream.transactions
        changes = stream.changes
        conflicts = stream.conflicts.map(ConflictReport.init).sorted { $0.table < $1.table }
    }
}

extension ConflictReport {
    init(_ table: QualifiedName, _ counts: ConflictCounts) {
        self.init(table: table.description, existing: counts.existing, missing: counts.missing)
    }
}

extension VerifyReport {
    init(_ found: Verification, _ pipeline: String, _ duration: Duration) {
        self.init(
            pipeline: pipeline, target: found.target, rows: found.rows, missing: found.missing, extra: found.extra,
            different: found.different, differences: found.differences.map(Difference.init), repaired: found.repaired,
            duration: duration)
    }
}

extension VerifyReport.Difference {
    fileprivate init(_ difference: Verification.Difference) {
        let kind: VerifyReport.Kind =
            switch difference.kind {
            case .missing: .missing
            case .extra: .extra
            case .different: .different
            }
        self.init(kind: kind, key: difference.key, columns: difference.columns)
    }
}
