import Postgres
import PostgresProtocol

/// Why a change could not be made, for people.
struct ApplyConflict {
    private let failure: StatementQueue.Failure
    private let batch: ChangeBatch
    private let plan: ApplyPlan

    init(_ failure: StatementQueue.Failure, _ batch: ChangeBatch, _ plan: ApplyPlan) {
        self.failure = failure
        self.batch = batch
        self.plan = plan
    }

    var error: ReplicationError {
        switch failure.reason {
        case .error(let error):
            guard case .server = error, let index = failure.item.change, !error.isRetryable else {
                return .database(.target, error, doing: failure.item.doing)
            }
            return .database(.target, error, doing: "\(failure.item.doing)\(place(index))")
        case .affected(let found, let expected): return mismatch(found, expected)
        }
    }

    private func mismatch(_ found: Int, _ expected: Int) -> ReplicationError {
        guard let index = failure.item.change else {
            return .mismatch(
                code: "RH3702", "\(failure.item.doing): \(found) rows instead of \(expected)", hint: nil)
        }
        let change = batch.changes[index]
        let lane = plan.lanes[Int(change.lane)]
        let verb = change.kind == .delete ? "delete" : "update"
        let text =
            found == 0
            ? "the row that the source has \(verb)d is not in \(lane.target.table.name) of the target"
            : "\(found) rows of \(lane.target.table.name) in the target have the key of one that the source has \(verb)d"
        return .transform(
            TransformFailure(
                code: "RH3701", message: text + place(index), hint: hint(lane), table: lane.target.table.name,
                key: key(change, lane)))
    }

    private func hint(_ lane: ApplyLane) -> String {
        lane.isPartial
            ? "The change leaves large values out that it has not changed, so the row cannot be made from it: set "
                + "REPLICA IDENTITY FULL on the source, or copy the table anew (replhost resnapshot)."
            : "Somebody else writes to the target, or the tables were not equal: look with \"replhost verify\", or say "
                + "with on_conflict = \"upsert\" or \"skip\" that this may be."
    }

    private func place(_ index: Int) -> String {
        guard let transaction = batch.transaction(of: index) else { return "" }
        return " (transaction \(transaction.xid), commit at \(transaction.finalLSN))"
    }

    private func key(_ change: RowChange, _ lane: ApplyLane) -> [(column: String, value: String?)] {
        let columns = lane.target.key.isEmpty ? lane.columns : lane.target.key
        var fields = FieldIterator(batch.arena.bytes, from: Int(change.key.offset))
        return columns.map { column in
            guard let field = fields.next() else { return (column.name, nil) }
            var text = ByteBuffer()
            do { try FieldDecoder.appendText(field, column.kind, lane.format, to: &text) } catch {
                return (column.name, "?")
            }
            return (column.name, text.string)
        }
    }
}
