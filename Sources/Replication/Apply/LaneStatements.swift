import PostgresProtocol

/// The SQL for rows in the same columns of a table. Parameters of statements for one row: the lane's columns, then the
/// key's. Those for many rows take an array for each column instead.
final class LaneStatements {
    private let table: CatalogTable
    private let key: [CatalogColumn]
    private let columns: [CatalogColumn]
    private let settable: [Int]
    private let format: DataFormat
    private let rowPosition: String
    private let policy: () -> ApplyTable.Policy

    init(_ target: ApplyTable, _ columns: [CatalogColumn], settable: [Int], _ format: DataFormat) {
        table = target.table
        key = target.key
        rowPosition = target.rowPosition
        self.columns = columns
        self.settable = settable
        self.format = format
        // The policy changes when the stream has passed what was copied at different times.
        policy = { [unowned target] in target.policy }
    }

    private var name: String { table.name.sql }
    /// Without rows of tables that inherit from it.
    private var rows: String { table.rowsSQL }
    private var columnList: String { columns.map(\.quotedName).joined(separator: ", ") }

    // MARK: One row

    private lazy var plainInsert: String = {
        guard !columns.isEmpty else { return "INSERT INTO \(name) DEFAULT VALUES" }
        let values = columns.indices.map { parameter($0 + 1, columns[$0]) }.joined(separator: ", ")
        return "INSERT INTO \(name) (\(columnList)) OVERRIDING SYSTEM VALUE VALUES (\(values))"
    }()

    var insert: String { plainInsert + conflictClause }

    /// The same, answering how many rows had the key already; nil where a row does not have all of the key.
    var insertCounting: String? {
        guard let places = keyPlaces else { return nil }
        let found = places.map { "\(columns[$0].quotedName) = \(parameter($0 + 1, columns[$0]))" }
        return counting(insert, "\(rows) WHERE \(found.joined(separator: " AND "))")
    }

    /// A statement sees what was there before its parts have done anything.
    private func counting(_ insert: String, _ existing: String) -> String {
        "WITH written AS (\(insert)) SELECT count(*) FROM \(existing)"
    }

    /// Positions of the table's key in the lane's columns.
    private lazy var keyPlaces: [Int]? = {
        let places = table.key.compactMap { name in columns.firstIndex { $0.name == name } }
        return places.isEmpty || places.count < table.key.count ? nil : places
    }()

    /// Finds the row by the parameters after the lane's columns.
    private(set) lazy var update: String? = {
        guard !settable.isEmpty else { return nil }
        let set = settable.map { "\(columns[$0].quotedName) = \(parameter($0 + 1, columns[$0]))" }
        return "UPDATE \(rows) SET \(set.joined(separator: ", ")) WHERE \(condition(from: columns.count))"
    }()

    /// The update that also sets the key.
    private(set) lazy var rekey: String = {
        let set = columns.enumerated().filter { $1.identity != .always }.map { index, column in
            "\(column.quotedName) = \(parameter(index + 1, column))"
        }
        return "UPDATE \(rows) SET \(set.joined(separator: ", ")) WHERE \(condition(from: columns.count))"
    }()

    /// Inserts the row if there is none to update. Counts rows that were not there.
    func upsert(_ update: String) -> String {
        let values = columns.indices.map { parameter($0 + 1, columns[$0]) }.joined(separator: ", ")
        return """
            WITH updated AS (\(update) RETURNING 1)
            INSERT INTO \(name) (\(columnList)) OVERRIDING SYSTEM VALUE
            SELECT \(values) WHERE NOT EXISTS (SELECT FROM updated)\(conflictClause)
            """
    }

    /// Before a row gets a key that another row may have, which is then older. Parameters: the new key, the old key.
    private(set) lazy var makeRoom: String = {
        let new = key.enumerated().map { "\($1.quotedName) = \(parameter($0 + 1, $1))" }
        let old = key.enumerated().map { "\($1.quotedName) = \(parameter(key.count + $0 + 1, $1))" }
        return """
            DELETE FROM \(rows) WHERE \(new.joined(separator: " AND "))
            AND EXISTS (SELECT FROM \(rows) WHERE \(old.joined(separator: " AND ")))
            """
    }()

    /// Parameters: the key's, or those of the whole old row.
    private(set) lazy var delete = "DELETE FROM \(rows) WHERE \(condition(from: 0))"

    private func condition(from first: Int) -> String {
        guard key.isEmpty else {
            return key.enumerated().map { index, column in
                "\(column.quotedName) = \(parameter(first + index + 1, column))"
            }.joined(separator: " AND ")
        }
        let found = columns.enumerated().map { index, column in
            let text = column.isEqualOnlyIfIdentical ? "" : "::text"
            return "\(column.quotedName)\(text) IS NOT DISTINCT FROM \(parameter(first + index + 1, column))\(text)"
        }
        let row = rowPosition.contains(",") ? "(\(rowPosition))" : rowPosition
        return """
            \(row) = (SELECT \(rowPosition) FROM \(rows) \
            WHERE \(found.isEmpty ? "true" : found.joined(separator: " AND ")) LIMIT 1)
            """
    }

    /// A parameter in the column's type. A text form gets a cast: not everywhere would the server infer the type.
    private func parameter(_ number: Int, _ column: CatalogColumn) -> String {
        format == .binary ? "$\(number)" : "$\(number)::\(column.bareTypeName)"
    }

    private var conflictClause: String {
        switch policy().existing {
        case .error: ""
        case .skip: " ON CONFLICT DO NOTHING"
        case .upsert: upsertClause
        }
    }

    private lazy var upsertClause: String = {
        guard !table.key.isEmpty else { return "" }
        let target = table.key.map(SQLText.quoteIdentifier).joined(separator: ", ")
        let set = columns.filter { !table.key.contains($0.name) && $0.identity != .always }
            .map { "\($0.quotedName) = EXCLUDED.\($0.quotedName)" }
        return " ON CONFLICT (\(target)) DO "
            + (set.isEmpty ? "NOTHING" : "UPDATE SET " + set.joined(separator: ", "))
    }()

    // MARK: Many rows

    private lazy var rowsOfArrays: String = {
        let arrays = columns.enumerated().map { RowArrays.parameter($0 + 1, $1, format) }
        let names = columns.indices.map { "c\($0)" }
        return "unnest(\(arrays.joined(separator: ", "))) AS r (\(names.joined(separator: ", ")))"
    }()

    private lazy var plainInsertAll: String = {
        let values = columns.indices.map { value($0, columns[$0]) }.joined(separator: ", ")
        return "INSERT INTO \(name) (\(columnList)) OVERRIDING SYSTEM VALUE SELECT \(values) FROM \(rowsOfArrays)"
    }()

    var insertAll: String { plainInsertAll + conflictClause }

    var insertAllCounting: String? {
        guard let places = keyPlaces else { return nil }
        let found = places.map { "t.\(columns[$0].quotedName) = \(value($0, columns[$0]))" }
        return counting(insertAll, "\(rows) AS t, \(rowsOfArrays) WHERE \(found.joined(separator: " AND "))")
    }

    /// Nil where there is nothing to set. The key columns are among the lane's.
    private(set) lazy var updateAll: String? = {
        guard !settable.isEmpty else { return nil }
        let set = settable.map { "\(columns[$0].quotedName) = \(value($0, columns[$0]))" }
        let found = key.compactMap { key in
            columns.firstIndex { $0.name == key.name }.map { "t.\(key.quotedName) = \(value($0, key))" }
        }
        return """
            UPDATE \(rows) AS t SET \(set.joined(separator: ", ")) FROM \(rowsOfArrays) \
            WHERE \(found.joined(separator: " AND "))
            """
    }()

    /// Parameters: an array for each key column.
    private(set) lazy var deleteAll: String = {
        let arrays = key.enumerated().map { RowArrays.parameter($0 + 1, $1, format) }
        let found = key.enumerated().map { index, column in "t.\(column.quotedName) = \(value(index, column))" }
        return """
            DELETE FROM \(rows) AS t USING unnest(\(arrays.joined(separator: ", "))) \
            AS r (\(key.indices.map { "c\($0)" }.joined(separator: ", "))) WHERE \(found.joined(separator: " AND "))
            """
    }()

    private func value(_ index: Int, _ column: CatalogColumn) -> String {
        RowArrays.value("r.c\(index)", column, format)
    }

    var copy: String {
        let list = columns.isEmpty ? "" : " (\(columnList))"
        return "COPY \(name)\(list) FROM STDIN" + (format == .binary ? " (FORMAT binary)" : "")
    }
}

extension CatalogColumn {
    var quotedName: String { SQLText.quoteIdentifier(name) }

    /// Values that `=` finds equal have the same text. Not all types have such an operator, or one at all.
    var isEqualOnlyIfIdentical: Bool {
        switch kind {
        case .boolean, .int16, .int32, .int64, .oid, .uuid, .bytea, .date, .time, .timestamp, .timestamptz, .pgLSN: true
        default: false
        }
    }

    /// The same, in a column whose table has no collation that thinks otherwise.
    var hasExactBytes: Bool { isEqualOnlyIfIdentical || type == .text || type == .varchar }
}
