import EventLoops
import Postgres
import PostgresProtocol

/// Rows that are compared in one transaction.
enum VerifyTask: Sendable {
    /// A range of the key of one table.
    case range(table: Int, Chunk)
    /// Tables whose rows cannot be told apart by ranges, as a whole.
    case whole(tables: [Int])
}

/// What came of a task.
enum VerifyOutcome: Sendable {
    case compared([Verification])
    /// Rows of the range are elsewhere in the target: the table has to be compared as a whole, with those that share one
    /// of these targets.
    case spread(table: Int, targets: [QualifiedName])
}

/// Compares the rows of a task, on a worker's loop.
struct VerifyTaskRun {
    /// While a stream goes on.
    private static let looks = 3

    private let worker: any PipelineWorker
    private let session: VerifySession
    private let source: Connection
    private let target: Connection
    private let differences: DifferenceTable

    init(_ worker: any PipelineWorker, _ session: VerifySession, source: Connection, target: Connection) {
        self.worker = worker
        self.session = session
        self.source = source
        self.target = target
        differences = DifferenceTable(target)
    }

    func run(_ task: VerifyTask) async throws(ReplicationError) -> VerifyOutcome {
        try await differences.prepare()
        if let follower = session.follower { return try await run(task, following: follower) }
        let outcome = try await look(1, at: task)
        return try await outcome.with(differences.found(looks: 1))
    }

    /// Looks again as long as there is something that all looks have seen.
    private func run(
        _ task: VerifyTask, following follower: StreamFollower
    ) async throws(ReplicationError) -> VerifyOutcome {
        var number = 1
        while true {
            _ = try await Snapshot.take(nil, on: source)
            let position = try await SourceLog.insertEnd(source)
            let outcome = try await look(number, at: task, after: position, follower)
            try await source.run("ROLLBACK", on: .source, doing: "giving a snapshot up")
            let found = try await differences.found(looks: number)
            if found.isEmpty || number == Self.looks { return outcome.with(found) }
            number += 1
        }
    }

    /// - Parameter position: the rows of the target are of a later moment.
    private func look(
        _ number: Int, at task: VerifyTask, after position: LSN? = nil, _ follower: StreamFollower? = nil
    ) async throws(ReplicationError) -> VerifyOutcome {
        try await target.run("BEGIN", on: .target, doing: "comparing")
        let sink = CopySink(target, .compare, session.context)
        do throws(ReplicationError) {
            for (table, chunks) in chunks(of: task) { try await stage(table, chunks, sink) }
            if let position { try await follower?.pass(position, source: source, target: target) }
            let outcome = try await compare(task, sink, look: number)
            try await target.run("COMMIT", on: .target, doing: "comparing")
            return outcome
        } catch {
            await sink.abandon()
            throw error
        }
    }

    private func chunks(of task: VerifyTask) -> [(table: Int, chunks: [Chunk])] {
        switch task {
        case .range(let table, let chunk): [(table, [chunk])]
        case .whole(let tables):
            tables.map { table in
                (table, session.relations[table].map { Chunk(number: 1, relation: $0, range: .whole) })
            }
        }
    }

    private func compare(
        _ task: VerifyTask, _ sink: CopySink, look: Int
    ) async throws(ReplicationError) -> VerifyOutcome {
        switch task {
        case .range(let table, let chunk):
            let mapping = session.mappings[table]
            let range = chunk.range.mapped(by: mapping)
            let targets = sink.stages.map(\.lane.table.name)
            if try await isSpread(sink.stages, range, mapping) { return .spread(table: table, targets: targets) }
            let found = try await results(sink.stages, [mapping], mapping.target.name, range: range, look: look)
            return .compared([found])
        case .whole(let tables):
            let mappings = tables.map { session.mappings[$0] }
            let targets = Set(sink.stages.map(\.lane.table.name) + mappings.map(\.target.name))
            var found: [Verification] = []
            for name in targets.sorted() {
                found.append(try await results(sink.stages, mappings, name, range: nil, look: look))
            }
            return .compared(found)
        }
    }

    // MARK: Staging

    /// Puts what the rows become into temporary tables.
    private func stage(_ table: Int, _ chunks: [Chunk], _ sink: CopySink) async throws(ReplicationError) {
        let mapping = session.mappings[table]
        let transform = mapping.options.hasTransform ? try worker.makeTransform(mapping) : nil
        for chunk in chunks {
            let meter = ChunkMeter(session.progress, session.throttle, table: table)
            let output = ChunkOutput(mapping, sink)
            try await ChunkTransfer(source, on: worker.actor.loop).run(chunk, transform, to: output, meter)
            try await output.finish()
            meter.finish()
        }
        // A stage for each target, even without rows: what it has then is extra.
        let own = try ChunkOutput(mapping, sink).lane(mapping.target, columns: mapping.columns.map(\.target))
        if !sink.stages.contains(where: { $0.lane.table.name == mapping.target.name }) { try await sink.take(own) }
        try await sink.finish()
    }

    /// Rows for other tables, or with keys outside of the range.
    private func isSpread(
        _ stages: [Stage], _ range: String?, _ mapping: TableMapping
    ) async throws(ReplicationError) -> Bool {
        if stages.contains(where: { $0.lane.table.name != mapping.target.name }) { return true }
        guard let range else { return false }
        for stage in stages {
            let sql = "SELECT EXISTS (SELECT FROM \(stage.name.sql) WHERE (\(range)) IS NOT TRUE)"
            let isOutside = try await query(sql) { result throws(PostgresError) in try result.isTrue(0, 0) }
            if isOutside { return true }
        }
        return false
    }

    // MARK: Comparing

    private func results(
        _ stages: [Stage], _ mappings: [TableMapping], _ name: QualifiedName, range: String?, look: Int
    ) async throws(ReplicationError) -> Verification {
        let own = stages.filter { $0.lane.table.name == name }
        let mapping = mappings.first { $0.target.name == name }
        let key = mapping?.key ?? own.first?.lane.table.key ?? []
        let judgement = Judgement(mappings.map(\.options.onConflict))
        var found = Verification(name, key: key)
        for (index, stage) in own.enumerated() {
            let comparison = RowComparison(stage, among: own, key: key, range: range)
            guard comparison.hasKey || own.count == 1 else { throw .notComparable(name) }
            if let policy = mappings.first?.options.onConflict, policy != .error, comparison.hasKey {
                try await target.run(comparison.removingDuplicates(policy), on: .target, doing: "comparing \(name)")
            }
            try await target.run("ANALYZE \(stage.name.sql)", on: .target, doing: "comparing \(name)")
            found.rows += try await query("SELECT count(*)::int8 FROM \(stage.name.sql)") {
                result throws(PostgresError) in try result.number(0, 0) ?? 0
            }
            let count = try await note(comparison, judgement, isFirst: index == 0, name, look: look)
            if session.repairs, count > 0 { found.repaired += try await repair(comparison, name, judgement) }
        }
        return found
    }

    /// How many differences there are.
    private func note(
        _ comparison: RowComparison, _ judgement: Judgement, isFirst: Bool, _ name: QualifiedName, look: Int
    ) async throws(ReplicationError) -> Int {
        var count = try await differences.note(.missing, in: name, comparison.missing, look: look)
        if judgement.extra, isFirst {
            count += try await differences.note(.extra, in: name, comparison.extra, look: look)
        }
        if judgement.different, let rows = comparison.different {
            count += try await differences.note(.different, in: name, rows, look: look)
        }
        return count
    }

    private func repair(
        _ comparison: RowComparison, _ name: QualifiedName, _ judgement: Judgement
    ) async throws(ReplicationError) -> Int {
        var count = 0
        for sql in comparison.repairs(removesExtra: judgement.extra, replaces: judgement.different) {
            do { count += try await target.query(sql, []).affected ?? 0 } catch {
                throw .database(.target, error, doing: "mending \(name)")
            }
        }
        return count
    }

    private func query<Value>(
        _ sql: String, _ read: (ResultSet) throws(PostgresError) -> Value
    ) async throws(ReplicationError) -> Value {
        do { return try read(try await target.query(sql, [])) } catch {
            throw .database(.target, error, doing: "comparing")
        }
    }
}

extension VerifyOutcome {
    fileprivate func with(_ found: [DifferenceTable.Group]) -> VerifyOutcome {
        guard case .compared(let verifications) = self else { return self }
        return .compared(
            verifications.map { verification in
                var verification = verification
                for group in found where group.target == "\(verification.target)" { verification.add(group) }
                return verification
            })
    }
}

extension ReplicationError {
    fileprivate static func notComparable(_ table: QualifiedName) -> ReplicationError {
        .mismatch(
            code: "RH3405",
            "\(table) has no key, and its rows are written with different columns: they cannot be compared",
            hint: "Name columns that tell rows apart with the option \"key\".")
    }
}

extension Chunk.Range {
    /// The range in terms of the target's columns; nil if it is no restriction there.
    fileprivate func mapped(by mapping: TableMapping) -> String? {
        guard case .key(let column, _, let lower, let upper) = self,
            let name = mapping.columns.first(where: { $0.source == column })?.target,
            let type = mapping.target.column(name)?.typeName
        else { return nil }
        return Chunk.Range.key(column: name, type: type, lower: lower, upper: upper).condition
    }
}

/// What of a target's rows is for the pipeline to say: one that rows are merged into has rows of its own.
private struct Judgement {
    let extra: Bool
    let different: Bool

    init(_ policies: [ConflictPolicy]) {
        extra = policies.allSatisfy { $0 == .error }
        different = !policies.contains(.skip)
    }
}
