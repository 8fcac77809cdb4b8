import Postgres
import PostgresProtocol

/// A pipeline's `where`, asked of the source for rows that come in the stream.
struct RowFilter {
    /// A row that is looked at, with what it came with.
    struct Candidate {
        /// Of the change of the source.
        var order: UInt32
        /// All columns that came, but for large values that have not changed.
        var row: ArenaSlice
        /// Positions of those, in the order of the relation's columns.
        var unchanged: [Int]
    }

    private let table: QualifiedName
    private let filter: String
    /// In the order of the relation's.
    private let columns: [CatalogColumn]
    private let format: DataFormat

    init(_ table: QualifiedName, _ filter: String, _ columns: [CatalogColumn], _ format: DataFormat) {
        self.table = table
        self.filter = filter
        self.columns = columns
        self.format = format
    }

    /// Of the changes whose rows do not pass.
    func failing(
        _ candidates: [Candidate], _ batch: ChangeBatch, on source: Connection
    ) async throws(ReplicationError) -> Set<UInt32> {
        var failing: Set<UInt32> = []
        for (unchanged, group) in Dictionary(grouping: candidates, by: \.unchanged) {
            let passing = try await passing(group, unchanged, batch, on: source)
            for (position, candidate) in group.enumerated() where !passing.contains(position + 1) {
                failing.insert(candidate.order)
            }
        }
        return failing
    }

    private func passing(
        _ group: [Candidate], _ unchanged: [Int], _ batch: ChangeBatch, on source: Connection
    ) async throws(ReplicationError) -> Set<Int> {
        let known = columns.indices.filter { !unchanged.contains($0) }.map { columns[$0] }
        do throws(PostgresError) {
            let parameters: [Parameter]
            do { parameters = try RowArrays(batch, format).parameters(known, group.map(\.row), skipping: 0) } catch {
                throw .unexpected("\(error)")
            }
            let result = try await source.query(statement(known), parameters)
            var passing: Set<Int> = []
            for row in 0..<result.count {
                if let position = try result.number(row, 0) { passing.insert(position) }
            }
            return passing
        } catch {
            if error.sqlstate == "42703", !unchanged.isEmpty { throw namesUnchanged(unchanged) }
            throw .database(.source, error, doing: "asking \"where\" of \(table)")
        }
    }

    private func statement(_ known: [CatalogColumn]) -> String {
        let arrays = known.enumerated().map { RowArrays.parameter($0 + 1, $1, format) }
        let values = known.enumerated().map { index, column in
            "\(RowArrays.value("c\(index)", column, format)) AS \(column.quotedName)"
        }
        let names = known.indices.map { "c\($0)" } + ["replhost_position"]
        return """
            SELECT replhost_position FROM (
              SELECT \((values + ["replhost_position"]).joined(separator: ", "))
              FROM unnest(\(arrays.joined(separator: ", "))) WITH ORDINALITY AS u (\(names.joined(separator: ", ")))
            ) AS \(SQLText.quoteIdentifier(table.name))
            WHERE (
            \(filter)
            )
            """
    }

    private func namesUnchanged(_ unchanged: [Int]) -> ReplicationError {
        let names = unchanged.map { "\"\(columns[$0].name)\"" }.joined(separator: ", ")
        return .mismatch(
            code: "RH3617",
            "\"where\" of \(table) cannot be asked of an update: the large values of \(names) do not come with it",
            hint: "Set REPLICA IDENTITY FULL on the source, so that all columns come with each change.")
    }
}
