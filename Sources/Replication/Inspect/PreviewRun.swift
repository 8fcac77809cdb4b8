import EventLoops
import Postgres
package import PostgresProtocol

/// Shows what becomes of some rows of a table, writing nothing. Lives on its worker's loop.
package struct PreviewRun {
    package typealias Fields = [(column: String, value: String?)]

    package struct Output: Sendable {
        package var table: QualifiedName
        package var fields: Fields
    }

    package struct Row: Sendable {
        package var before: Fields
        package var after: [Output]
        package var failure: ReplicationError?
    }

    package struct Table: Sendable {
        package var mapping: TableMapping
        package var rows: [Row]
    }

    private let definition: PipelineDefinition
    private let worker: any PipelineWorker

    package init(_ definition: PipelineDefinition, _ worker: any PipelineWorker) {
        self.definition = definition
        self.worker = worker
    }

    /// Up to `count` rows of each table, or of the one that is named.
    package func run(_ count: Int, only: QualifiedName?) async throws(ReplicationError) -> [Table] {
        let connections = WorkerConnections(worker, snapshot: nil)
        defer { connections.release() }
        let (source, target) = (try await connections.source(), try await connections.target())
        let selection = try await PipelineCatalog.selection(definition, on: source)
        let chosen = selection.tables.filter { only == nil || $0.source.name == only }
        if let only, chosen.isEmpty { throw .unknownTable(only, .source, known: selection.tables.map(\.source.name)) }
        let existing = try await CatalogReader(target, .target).tables(chosen.map(\.targetName))
        var tables: [Table] = []
        for table in chosen {
            let mapping = try TableMapping(table, target: existing[table.targetName] ?? table.expectedTarget)
            tables.append(try await rows(count, of: mapping, source, target))
        }
        return tables
    }

    /// Up to `count` rows of one table.
    func rows(
        _ count: Int, of mapping: TableMapping, _ source: Connection, _ target: Connection
    ) async throws(ReplicationError) -> Table {
        let sink = CaptureSink(target)
        var mapping = mapping
        mapping.options.onError = .stop
        let transform = mapping.options.hasTransform ? try worker.makeTransform(mapping) : nil
        var rows: [Row] = []
        for line in try await lines(mapping, count, source) {
            let input = LineInput(line, mapping)
            let before = try input.fields(mapping)
            var row = Row(before: before, after: [])
            if let transform {
                let output = ChunkOutput(mapping, sink)
                do throws(ReplicationError) {
                    try await transform.run(input, output)
                    try await output.finish()
                } catch {
                    if error.isCancellation { throw error }
                    row.failure = error
                }
                row.after = sink.takeRows()
            } else {
                row.after = [Output(table: mapping.target.name, fields: before.renamed(by: mapping))]
            }
            rows.append(row)
        }
        return Table(mapping: mapping, rows: rows)
    }

    /// Rows as lines of COPY text.
    private func lines(
        _ mapping: TableMapping, _ count: Int, _ source: Connection
    ) async throws(ReplicationError) -> [[UInt8]] {
        let columns = mapping.columns.map { SQLText.quoteIdentifier($0.source) }.joined(separator: ", ")
        let only = mapping.source.kind == .partitioned ? "" : "ONLY "
        let filter = mapping.options.filter.map { " WHERE (\n\($0)\n)" } ?? ""
        let sql = "COPY (SELECT \(columns) FROM \(only)\(mapping.source.name.sql)\(filter) LIMIT \(count)) TO STDOUT"
        do throws(PostgresError) {
            let stream = try await source.copyOut(sql)
            var lines: [[UInt8]] = []
            while true {
                switch try stream.next() {
                case .message(let bytes): lines.append(Array(bytes))
                case .pending: try await stream.wait()
                case .end: return lines
                }
            }
        } catch {
            throw .database(.source, error, doing: "reading \(mapping.source.name)")
        }
    }
}

extension PreviewRun.Fields {
    fileprivate func renamed(by mapping: TableMapping) -> PreviewRun.Fields {
        zip(mapping.columns, self).map { ($0.target, $1.value) }
    }
}

/// A row that is at hand, as a line of COPY text.
final class LineInput: RowInput {
    let isFramed = false
    let columns: [InputColumn]
    private let line: [UInt8]
    private var buffer = ByteBuffer()
    private var hasRow = true

    init(_ line: [UInt8], _ mapping: TableMapping) {
        self.line = line
        columns = mapping.input.map { column in
            InputColumn(name: column.name, type: column.type, kind: column.kind, format: .text)
        }
    }

    func next() -> RowInputStep {
        guard hasRow else { return .end }
        hasRow = false
        buffer.removeAll()
        line.withUnsafeBytes { buffer.append($0) }
        return .row(buffer.bytes)
    }

    func wait() async throws(ReplicationError) {}

    /// Under the source's names.
    func fields(_ mapping: TableMapping) throws(ReplicationError) -> PreviewRun.Fields {
        do throws(CopyError) { return try CapturedRow.fields(ofLine: line, columns.map(\.name)) } catch {
            throw .damaged(error, table: mapping.source.name)
        }
    }
}
