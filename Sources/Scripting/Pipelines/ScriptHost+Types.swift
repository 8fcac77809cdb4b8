import EventLoops
import PostgresProtocol
import Replication

extension ScriptHost {
    /// The types of the tables that the pipelines read; asks the sources only.
    package func types() async -> PipelineOutcome<[TableTypes]> {
        await together { [self] actor, pipeline, coordinator in
            await step(actor) { _ throws(ReplicationError) in
                let tables = try await TypesRun(pipeline.definition, coordinator).run()
                return tables.map { TableTypes($0, pipeline.definition.name) }
            }
        }.map { $0.flatMap(\.self) }
    }
}

extension TableTypes {
    fileprivate init(_ found: TypesRun.Table, _ pipeline: String) {
        let columns = found.source.columns.map { Column($0, found) }
        let named = Dictionary(columns.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let seen: [Column] = found.columns.compactMap { mapping in
            var column = named[mapping.source]
            column?.name = mapping.target
            column?.targetType = found.types[mapping.target]
            return column
        }
        let added = found.types.filter { name, _ in !seen.contains { $0.name == name } }
        self.init(
            pipeline: pipeline, table: found.source.name, comment: found.notes.comment, columns: columns,
            row: seen + added.sorted { $0.key < $1.key }.map { Column(name: $0.key, type: $0.value) })
    }
}

extension TableTypes.Column {
    fileprivate init(_ column: CatalogColumn, _ table: TypesRun.Table) {
        self.init(name: column.name, type: column.typeName)
        let notes = table.notes.columns[column.name]
        baseType = notes?.baseTypeName
        labels = notes?.labels ?? []
        comment = notes?.comment
        isKey = table.source.key.contains(column.name)
        isNotNull = column.isNotNull
        isGenerated = column.isGenerated
    }
}
