import Postgres
import PostgresProtocol

/// The statements that make one change.
struct SingleChange {
    private let index: Int
    private let change: RowChange
    private let lane: ApplyLane
    private let arrays: RowArrays

    init(_ index: Int, _ batch: ChangeBatch, _ plan: ApplyPlan) {
        self.index = index
        change = batch.changes[index]
        lane = plan.lanes[Int(change.lane)]
        arrays = RowArrays(batch, lane.format)
    }

    var items: [StatementQueue.Item] {
        let statements = lane.statements
        let policy = lane.target.policy
        switch change.kind {
        case .insert: return [insertion]
        case .update: return statements.update.map { [changing($0)] } ?? []
        case .rekey:
            guard policy.existing == .upsert else { return [changing(statements.rekey)] }
            return [item(statements.makeRoom, keys, affects: nil, "updating"), changing(statements.rekey)]
        case .delete:
            return [
                item(
                    statements.delete, key, affects: policy.isDeleteChecked ? 1 : nil, "deleting from",
                    lane.target.tally(.missing(of: 1)))
            ]
        }
    }

    private var insertion: StatementQueue.Item {
        let (statements, policy) = (lane.statements, lane.target.policy)
        if policy.existing == .upsert, policy.countsConflicts, let counting = statements.insertCounting {
            return item(counting, row, affects: nil, "inserting into", lane.target.tally(.existingAnswered))
        }
        let tally = policy.existing == .skip ? lane.target.tally(.existing(of: 1)) : nil
        return item(statements.insert, row, affects: policy.existing == .error ? 1 : nil, "inserting into", tally)
    }

    private func changing(_ update: String) -> StatementQueue.Item {
        switch lane.missing {
        case .error: item(update, row + key, affects: 1, "updating")
        case .ignore: item(update, row + key, affects: nil, "updating", lane.target.tally(.missing(of: 1)))
        case .insert:
            item(
                lane.statements.upsert(update), row + key, affects: nil, "updating",
                lane.target.tally(.missingInserted))
        }
    }

    private func item(
        _ sql: String, _ parameters: [Parameter], affects: Int?, _ verb: String, _ tally: ConflictTally? = nil
    ) -> StatementQueue.Item {
        .init(
            statement: PipelineStatement(sql, parameters), affects: affects, change: index,
            doing: "\(verb) \(lane.target.table.name)", tally: tally)
    }

    // MARK: Parameters

    private var row: [Parameter] {
        var parameters: [Parameter] = []
        arrays.values(lane.columns, change.row, skipping: 2, into: &parameters)
        return parameters
    }

    /// The key's columns, or all of the lane's where there is no key.
    private var key: [Parameter] {
        var parameters: [Parameter] = []
        let columns = lane.target.key.isEmpty ? lane.columns : lane.target.key
        arrays.values(columns, change.key, skipping: 0, into: &parameters)
        return parameters
    }

    /// The new key, then the old one.
    private var keys: [Parameter] {
        let row = self.row
        return (lane.key ?? []).map { row[$0] } + key
    }
}
