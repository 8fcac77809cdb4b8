import PostgresProtocol

/// Rows of a lane in a temporary table of the target, which is empty again after the transaction.
struct Stage {
    let lane: OutputLane
    let name: QualifiedName
    private static let position = "replhost_position"
    private static let largestTable = 1600

    init(_ lane: OutputLane, number: Int) {
        self.lane = lane
        name = QualifiedName(schema: "pg_temp", name: "replhost_stage_\(number)")
    }

    /// Lanes of several chunks may have the same rows.
    func holds(_ other: OutputLane) -> Bool {
        lane.table.name == other.table.name && lane.columns.map(\.name) == other.columns.map(\.name)
    }

    /// The column that tells in which order rows came. Where none can be added, it is nearly that.
    var order: String { hasPosition ? Self.position : "ctid" }

    private var hasPosition: Bool { !lane.columns.isEmpty && lane.columns.count < Self.largestTable }

    var makeStatements: [String] {
        let statements = [
            "DROP TABLE IF EXISTS \(name.sql)",
            """
            CREATE TEMP TABLE \(SQLText.quoteIdentifier(name.name)) ON COMMIT DELETE ROWS AS
            SELECT \(lane.columnList) FROM \(lane.table.name.sql) WITH NO DATA
            """,
        ]
        guard hasPosition else { return statements }
        return statements + ["ALTER TABLE \(name.sql) ADD COLUMN \(order) bigint GENERATED ALWAYS AS IDENTITY"]
    }

    /// Of several rows with the same key, the one that counts by `policy`.
    func mergeStatement(_ policy: ConflictPolicy) -> String {
        let key = lane.table.key.map(SQLText.quoteIdentifier).joined(separator: ", ")
        let changes = lane.columns.filter { !lane.table.key.contains($0.name) && $0.identity != .always }.map {
            column in
            let name = SQLText.quoteIdentifier(column.name)
            return "\(name) = EXCLUDED.\(name)"
        }
        let isUpdate = policy == .upsert && !changes.isEmpty
        return """
            INSERT INTO \(lane.table.name.sql)\(lane.columnClause) OVERRIDING SYSTEM VALUE
            SELECT DISTINCT ON (\(key)) \(lane.columnList) FROM \(name.sql)
            ORDER BY \(key), \(order)\(policy == .upsert ? " DESC" : "")
            ON CONFLICT (\(key)) DO \(isUpdate ? "UPDATE SET " + changes.joined(separator: ", ") : "NOTHING")
            """
    }
}
