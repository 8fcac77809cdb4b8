package import Postgres
import PostgresProtocol

/// A pipeline's tables as they are in the source.
package enum PipelineCatalog {
    package static func selection(
        _ definition: PipelineDefinition, on source: Connection
    ) async throws(ReplicationError) -> TableSelection {
        let catalog = try await CatalogReader(source, .source).allTables()
        let selection = TableSelection(definition, in: catalog)
        for rule in selection.unused {
            guard let name = definition.rules[rule].pattern.exactName else { continue }
            throw .unknownTable(name, .source, known: catalog.map(\.name))
        }
        guard !selection.tables.isEmpty else {
            throw .mismatch(
                code: "RH3302", "pipeline \"\(definition.name)\" matches no table of the source",
                hint: "\"tables\" takes names and patterns such as \"public.*\".")
        }
        return selection
    }
}
