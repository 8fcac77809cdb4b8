import Postgres
import PostgresProtocol

/// The pipeline that takes what is written into a target, after its cut-over, back to the old source.
package struct WayBack {
    private let definition: PipelineDefinition
    private let source: Connection
    private let target: Connection

    /// Over connections of the pipeline's own.
    package static func definition(
        _ definition: PipelineDefinition, _ worker: any PipelineWorker
    ) async throws(ReplicationError) -> PipelineDefinition {
        let connections = WorkerConnections(worker, snapshot: nil)
        defer { connections.release() }
        return try await WayBack(
            definition, source: try await connections.source(), target: try await connections.target()
        ).definition()
    }

    init(_ definition: PipelineDefinition, source: Connection, target: Connection) {
        self.definition = definition
        self.source = source
        self.target = target
    }

    func definition() async throws(ReplicationError) -> PipelineDefinition {
        let selection = try await PipelineCatalog.selection(definition, on: source)
        try check(selection)
        let targets = try await CatalogReader(target, .target).tables(selection.tables.map(\.targetName))
        var rules: [TableRule] = []
        for table in selection.tables {
            guard let counterpart = targets[table.targetName] else { throw .missingTarget(table.targetName) }
            rules.append(try rule(try TableMapping(table, target: counterpart)))
        }
        var reversed = definition
        reversed.name = "\(definition.name) back"
        reversed.rules = rules
        reversed.snapshot.mode = .never
        reversed.isWayBack = true
        return reversed
    }

    /// What a function, or several tables in one, have made of rows cannot be undone.
    private func check(_ selection: TableSelection) throws(ReplicationError) {
        let changed = selection.tables.filter { $0.options.hasTransform || selection.sources(of: $0.targetName) > 1 }
        guard !changed.isEmpty else { return }
        throw .mismatch(
            code: "RH3621",
            "there is no way back for \(changed.map { "\($0.source.name)" }.joined(separator: ", ")): the target has other "
                + "rows than the source",
            hint: "Rows that a function makes, or that come from several tables, cannot be turned round. Leave out "
                + "--way-back.")
    }

    private func rule(_ mapping: TableMapping) throws(ReplicationError) -> TableRule {
        let name = mapping.target.name
        let parts = [name.schema ?? "public", name.name].map(SQLText.quoteIdentifier)
        guard let pattern = TablePattern(parts.joined(separator: ".")) else {
            throw .unknownTable(name, .target, known: [])
        }
        var options = TableOptions()
        options.target = mapping.source.name
        options.columns = mapping.columns.map { ColumnMapping(source: $0.target, target: $0.source) }
        let names = Dictionary(mapping.columns.map { ($0.target, $0.source) }, uniquingKeysWith: { first, _ in first })
        options.key = mapping.options.key.map { key in key.compactMap { names[$0] } }
        options.onError = mapping.options.onError
        options.onConflict = mapping.options.onConflict
        options.creates = false
        return TableRule(pattern, .copy(options))
    }
}
