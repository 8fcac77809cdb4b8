import Postgres
import PostgresProtocol

/// Finds out what the rows of a pipeline's tables are, on its source alone. Lives on its worker's loop.
package struct TypesRun {
    package struct Table: Sendable {
        package var source: CatalogTable
        package var notes: TableNotes
        /// What a transform sees, under the target's names; without what it may add.
        package var columns: [ColumnMapping]
        /// Types in the target by column; columns that the source does not have are added.
        package var types: [String: String]
    }

    private let definition: PipelineDefinition
    private let worker: any PipelineWorker

    package init(_ definition: PipelineDefinition, _ worker: any PipelineWorker) {
        self.definition = definition
        self.worker = worker
    }

    package func run() async throws(ReplicationError) -> [Table] {
        let connections = WorkerConnections(worker, snapshot: nil)
        defer { connections.release() }
        let source = try await connections.source()
        let selection = try await PipelineCatalog.selection(definition, on: source)
        let notes = try await CatalogReader(source, .source).notes(on: selection.tables.map(\.source))
        return try selection.tables.map { table throws(ReplicationError) in
            Table(
                source: table.source, notes: notes[table.source.oid] ?? TableNotes(),
                columns: try TableMapping(table, target: table.expectedTarget).columns, types: table.options.types)
        }
    }
}
