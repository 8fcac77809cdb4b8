import Postgres
import PostgresProtocol

/// Cuts tables into chunks.
struct ChunkCutter {
    /// A bounded number of pages is read for the borders of a table's chunks.
    private static let samplePages = 400
    private static let pageSize = 8192
    private static let largestChunk = 256 << 20
    private static let smallestChunk = 8 << 20

    private let source: Connection
    private let options: SnapshotOptions
    private let chunkSize: Int

    /// - Parameters:
    ///   - source: is inside the snapshot.
    ///   - bytes: in all tables.
    init(_ source: Connection, _ options: SnapshotOptions, workers: Int, bytes: Int) {
        self.source = source
        self.options = options
        chunkSize = min(max(bytes / (4 * workers), Self.smallestChunk), Self.largestChunk)
    }

    /// - Parameters:
    ///   - relations: the table, or its partitions.
    ///   - mayCutByPages: the target can be emptied when copying starts again.
    func cut(
        _ relations: [CatalogTable], key: [String], mayCutByPages: Bool
    ) async throws(ReplicationError) -> [Chunk] {
        var chunks: [Chunk] = []
        for relation in relations {
            for range in try await ranges(of: relation, key: key, mayCutByPages: mayCutByPages) {
                chunks.append(Chunk(number: chunks.count + 1, relation: relation.name, range: range))
            }
        }
        return chunks
    }

    private func ranges(
        of table: CatalogTable, key: [String], mayCutByPages: Bool
    ) async throws(ReplicationError) -> [Chunk.Range] {
        let count = count(table)
        guard count > 1 else { return [.whole] }
        if let name = key.first, let column = table.column(name), column.isOrdered {
            return try await keyRanges(table, column, count)
        }
        guard mayCutByPages, table.kind == .plain else { return [.whole] }
        return (0..<count).map { part in
            .pages(from: table.pages * part / count, to: part + 1 < count ? table.pages * (part + 1) / count : nil)
        }
    }

    /// How many chunks a table is worth.
    private func count(_ table: CatalogTable) -> Int {
        let bytes = table.pages * Self.pageSize
        if let rows = options.chunkRows {
            let known = table.rows > 0 ? table.rows : Double(bytes) / 100
            return max(1, min(Int((known / Double(rows)).rounded(.up)), max(table.pages, 1)))
        }
        return max(1, (bytes + chunkSize / 2) / chunkSize)
    }

    /// Borders are quantiles of a sample, so chunks are of about the same size however the key is distributed.
    private func keyRanges(
        _ table: CatalogTable, _ column: CatalogColumn, _ count: Int
    ) async throws(ReplicationError) -> [Chunk.Range] {
        let name = SQLText.quoteIdentifier(column.name)
        let share = min(100, 100 * Double(max(Self.samplePages, 20 * count)) / Double(table.pages))
        let borders = """
            SELECT DISTINCT ON (tile) value::text FROM (
              SELECT \(name) AS value, ntile(\(count)) OVER (ORDER BY \(name)) AS tile
              FROM ONLY \(table.name.sql) TABLESAMPLE SYSTEM (\(share))) AS sample
            WHERE tile > 1 ORDER BY tile, value
            """
        do throws(PostgresError) {
            let result = try await source.query(borders, [])
            var values: [String] = []
            for row in 0..<result.count {
                let value = try result.text(of: 0, row: row)
                if values.last != value { values.append(value) }
            }
            return Self.ranges(column, values)
        } catch {
            throw .database(.source, error, doing: "cutting \(table.name) into chunks")
        }
    }

    static func ranges(_ column: CatalogColumn, _ borders: [String]) -> [Chunk.Range] {
        guard !borders.isEmpty else { return [.whole] }
        let bounds = [nil] + borders.map(Optional.some) + [nil]
        return zip(bounds, bounds.dropFirst()).map { lower, upper in
            .key(column: column.name, type: column.typeName, lower: lower, upper: upper)
        }
    }
}
