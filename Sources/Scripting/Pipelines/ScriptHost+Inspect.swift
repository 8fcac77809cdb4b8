import EventLoops
import PostgresProtocol
import Replication

/// Commands that find out what a run would do, without changing anything.
extension ScriptHost {
    package func plan() async -> PipelineOutcome<[PlanReport]> {
        await together { [self] actor, pipeline, coordinator in
            await step(actor) { _ throws(ReplicationError) in
                let workers = CrewSize.count(pipeline.definition, pipeline.source, pipeline.sink)
                let plan = try await PlanRun(pipeline.definition, coordinator, workers: workers).run()
                return PlanReport(pipeline.definition.name, plan)
            }
        }
    }

    /// `rows` of each table, or of the one that is named, writing nothing.
    package func preview(rows: Int, table: String?) async -> PipelineOutcome<[PreviewReport]> {
        await together { [self] actor, pipeline, coordinator in
            await step(actor) { _ throws(ReplicationError) in
                let only = try table.map(Self.tableName)
                let found = try await PreviewRun(pipeline.definition, coordinator).run(rows, only: only)
                return found.map { PreviewReport(pipeline.definition.name, $0, report) }
            }
        }.map { $0.flatMap(\.self) }
    }

    /// What `body` returns, on the host's loop.
    func step<Value: Sendable>(
        _ actor: isolated LoopActor, _ body: (isolated LoopActor) async throws(ReplicationError) -> Value
    ) async -> StepOutcome<Value> {
        do throws(ReplicationError) { return .done(try await body(actor)) } catch {
            return error.isCancellation ? .interrupted : .failed(report(error))
        }
    }
}

extension PlanReport {
    fileprivate init(_ pipeline: String, _ plan: PlanRun.Plan) {
        self.init(
            pipeline: pipeline, tables: plan.tables.map(Table.init), skipped: plan.skipped, sourceSQL: [],
            targetSQL: plan.targetSQL, leftOut: plan.leftOut)
    }
}

extension PlanReport.Table {
    fileprivate init(_ table: PlanRun.Table) {
        self.init(
            source: table.source, target: table.target, state: table.state.rawValue,
            estimatedRows: table.estimatedRows, chunks: Self.describe(table.chunks),
            format: table.format == .binary ? "binary" : "text", hasTransform: table.hasTransform)
    }

    private static func describe(_ chunks: [Chunk]) -> String {
        let count = "\(chunks.count) chunk\(chunks.count == 1 ? "" : "s")"
        for chunk in chunks {
            switch chunk.range {
            case .key(let column, _, _, _): return "\(count) by \(column)"
            case .pages: return "\(count) by pages"
            case .whole: continue
            }
        }
        return count
    }
}

extension PreviewReport {
    fileprivate init(
        _ pipeline: String, _ table: PreviewRun.Table, _ report: (ReplicationError) -> FailureReport
    ) {
        self.init(
            pipeline: pipeline, source: table.mapping.source.name, target: table.mapping.target.name,
            rows: table.rows.map { row in
                Row(
                    before: row.before, after: row.after.map { Output(table: $0.table, row: $0.fields) },
                    failure: row.failure.map(report))
            })
    }
}
