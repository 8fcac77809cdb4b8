import PostgresProtocol
import Replication

/// Commands that look at what pipelines have left in their targets, or change it.
extension ScriptHost {
    package func status() async -> PipelineOutcome<[StatusReport]> {
        await together { [self] actor, pipeline, coordinator in
            await step(actor) { _ throws(ReplicationError) in
                let (name, budget) = (pipeline.definition.name, pipeline.definition.stream.walBudget)
                return StatusReport(name, try await PipelineStatus.read(name, coordinator, budget: budget), budget)
            }
        }
    }

    /// What `drop` would remove, for people; empty if there is nothing.
    package func describeDrop() async -> PipelineOutcome<[String]> {
        await together { [self] actor, pipeline, coordinator in
            await step(actor) { _ throws(ReplicationError) in
                Self.contents(of: pipeline, try await PipelineStatus.read(pipeline.definition.name, coordinator))
            }
        }.map { $0.flatMap(\.self) }
    }

    /// Forgets the pipelines' progress; the copied tables stay. What was removed.
    package func drop() async -> PipelineOutcome<[String]> {
        await together { [self] actor, pipeline, coordinator in
            await step(actor) { _ throws(ReplicationError) in
                let name = pipeline.definition.name
                let contents = Self.contents(of: pipeline, try await PipelineStatus.read(name, coordinator))
                try await PipelineStatus.drop(name, coordinator)
                return contents
            }
        }.map { $0.flatMap(\.self) }
    }

    private static func contents(of pipeline: LoadedPipeline, _ status: PipelineStatus) -> [String] {
        let name = pipeline.definition.name
        var contents: [String] = []
        if status.record != nil {
            let count = status.relations.count
            contents.append("progress of pipeline \"\(name)\": \(count) \(count == 1 ? "table" : "tables")")
        }
        if let stream = status.stream {
            contents.append("replication slot \"\(stream.slot)\" and its publications on the source")
        }
        let letters = status.letters.values.reduce(0, +)
        if letters > 0 { contents.append("\(letters) dead letters of pipeline \"\(name)\"") }
        if status.stateValues > 0 { contents.append("\(status.stateValues) values of rh.state of \"\(name)\"") }
        return contents
    }

    // MARK: Dead letters

    package func deadLetters(_ selection: DeadLetterSelection) async -> PipelineOutcome<[DeadLetterReport]> {
        await together { [self] actor, pipeline, coordinator in
            await step(actor) { _ throws(ReplicationError) -> [DeadLetterReport] in
                let name = pipeline.definition.name
                guard selection.means(name) else { return [DeadLetterReport]() }
                let session = try await LedgerSession(name, coordinator)
                defer { session.end() }
                let letters = try await session.ledger?.letters(try LetterSelection(selection)) ?? []
                return letters.map { DeadLetterReport(name, $0) }
            }
        }.map { $0.flatMap(\.self) }
    }

    /// Sends them through the functions once more.
    package func retryDeadLetters(_ selection: DeadLetterSelection) async -> PipelineOutcome<RetryReport> {
        await together { [self] actor, pipeline, coordinator in
            await step(actor) { _ throws(ReplicationError) in
                guard selection.means(pipeline.definition.name) else { return RetryReport(delivered: 0, failed: 0) }
                let result = try await LetterRetry(pipeline.definition, coordinator).run(try LetterSelection(selection))
                return RetryReport(delivered: result.delivered, failed: result.failed.count)
            }
        }.map { reports in
            reports.reduce(into: RetryReport(delivered: 0, failed: 0)) {
                $0.delivered += $1.delivered
                $0.failed += $1.failed
            }
        }
    }

    /// How many were removed.
    package func purgeDeadLetters(_ selection: DeadLetterSelection) async -> PipelineOutcome<Int> {
        await together { [self] actor, pipeline, coordinator in
            await step(actor) { _ throws(ReplicationError) in
                let name = pipeline.definition.name
                guard selection.means(name) else { return 0 }
                let session = try await LedgerSession(name, coordinator)
                defer { session.end() }
                return try await session.ledger?.removeLetters(try LetterSelection(selection)) ?? 0
            }
        }.map { $0.reduce(0, +) }
    }
}

extension DeadLetterSelection {
    fileprivate func means(_ name: String) -> Bool { pipeline == nil || pipeline == name }
}

extension LetterSelection {
    fileprivate init(_ selection: DeadLetterSelection) throws(ReplicationError) {
        self.init(
            source: try selection.table.map(ScriptHost.tableName), ids: selection.ids, limit: selection.limit)
    }
}

extension DeadLetterReport {
    fileprivate init(_ pipeline: String, _ letter: StoredLetter) {
        self.init(
            id: letter.id, pipeline: pipeline, table: letter.source, operation: letter.operation, key: letter.key,
            row: letter.row, code: letter.code, message: letter.message, position: letter.position,
            traceback: letter.traceback, scriptHash: letter.scriptHash, createdAt: letter.createdAt)
    }
}

extension StatusReport {
    fileprivate init(_ pipeline: String, _ status: PipelineStatus, _ budget: LogBudget?) {
        self.init(
            pipeline: pipeline, state: status.record?.state ?? "new", isRunning: status.owner != nil,
            startedAt: status.record?.startedAt, finishedAt: status.record?.finishedAt,
            tables: status.relations.map { Table($0, status) },
            deadLetters: status.letters.values.reduce(0, +), lastError: status.record?.lastError,
            stream: status.stream.map { Stream($0, status, budget) },
            conflicts: status.conflicts.map(ConflictReport.init).sorted { $0.table < $1.table })
    }
}

extension StatusReport.Stream {
    fileprivate init(_ record: Ledger.StreamRecord, _ status: PipelineStatus, _ budget: LogBudget?) {
        self.init(
            slot: record.slot, isActive: status.slot?.activePID != nil, position: record.position?.description,
            lag: status.lag, retained: status.slot?.retained, commitTime: record.commitTime,
            transactions: record.transactions, changes: record.changes, budget: budget?.size,
            budgetAction: budget?.action.rawValue, timeToFull: status.timeToFull)
    }
}

extension StatusReport.Table {
    fileprivate init(_ relation: Ledger.Relation, _ status: PipelineStatus) {
        let done = relation.chunks.compactMap(\.counts)
        let state =
            relation.finishedAt != nil
            ? "done" : relation.chunks.isEmpty ? "waiting" : relation.isCopied ? "copied" : "copying"
        self.init(
            source: relation.source.description, target: relation.target.description, state: state,
            rows: done.reduce(0) { $0 + $1.read }, estimatedRows: relation.estimatedRows,
            bytes: done.reduce(0) { $0 + $1.bytes }, chunksDone: done.count, chunks: relation.chunks.count,
            deadLetters: status.letters[relation.source.description] ?? 0, startedAt: relation.startedAt,
            finishedAt: relation.finishedAt)
    }
}
