import Postgres
import PostgresProtocol

/// The row that a dead letter of a change is about. Later changes of it may have been applied: what counts is what the
/// source has of it now.
struct LetterChange {
    private let mapping: TableMapping
    /// In SQL, of the source.
    private let condition: String

    /// Nil for a letter of the copy, and where nothing tells the row from others.
    init?(_ letter: StoredLetter, _ mapping: TableMapping) {
        guard letter.operation != "read", !mapping.key.isEmpty else { return nil }
        let values = Dictionary(letter.row.map { ($0.column, $0.value) }, uniquingKeysWith: { first, _ in first })
        var terms: [String] = []
        for key in mapping.key {
            guard let source = mapping.columns.first(where: { $0.target == key })?.source,
                let value = values[source] ?? nil
            else { return nil }
            terms.append("\(SQLText.quoteIdentifier(source)) = \(SQLText.quoteLiteral(value))")
        }
        if let filter = mapping.options.filter { terms.append("(\n\(filter)\n)") }
        self.mapping = mapping
        condition = terms.joined(separator: " AND ")
    }

    /// As a line of COPY text; nil if the source has none.
    func row(on source: Connection) async throws(ReplicationError) -> [UInt8]? {
        let columns = mapping.columns.map { SQLText.quoteIdentifier($0.source) }.joined(separator: ", ")
        let sql = "COPY (SELECT \(columns) FROM \(mapping.source.rowsSQL) WHERE \(condition)) TO STDOUT"
        do throws(PostgresError) {
            let stream = try await source.copyOut(sql)
            var line: [UInt8]?
            while true {
                switch try stream.next() {
                case .message(let bytes): line = Array(bytes)
                case .pending: try await stream.wait()
                case .end: return line
                }
            }
        } catch {
            throw .database(.source, error, doing: "reading \(mapping.source.name)")
        }
    }

    /// Deletes what the function has made of a row that is gone, by its keys.
    static func remove(_ rows: [PreviewRun.Output], on target: Connection) async throws(ReplicationError) {
        let tables = try await CatalogReader(target, .target).tables(rows.map(\.table))
        for row in rows {
            guard let table = tables[row.table], !table.key.isEmpty else { continue }
            let values = Dictionary(row.fields.map { ($0.column, $0.value) }, uniquingKeysWith: { first, _ in first })
            let terms = table.key.compactMap { name in
                (values[name] ?? nil).map { "\(SQLText.quoteIdentifier(name)) = \(SQLText.quoteLiteral($0))" }
            }
            guard terms.count == table.key.count else { continue }
            try await target.run(
                "DELETE FROM \(table.rowsSQL) WHERE \(terms.joined(separator: " AND "))", on: .target,
                doing: "deleting from \(table.name)")
        }
    }
}
