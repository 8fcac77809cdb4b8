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
    /// Without a pipeline.
    init(_ table: CatalogTable, _ notes: TableNotes) {
        let columns = table.columns.map { column in
            Column(column, notes.columns[column.name], isKey: table.key.contains(column.name))
        }
        self.init(pipeline: "", table: table.name, comment: notes.comment, columns: columns, row: columns)
    }

    fileprivate init(_ found: TypesRun.Table, _ pipeline: String) {
        self.init(found.source, found.notes)
        self.pipeline = pipeline
        let named = Dictionary(columns.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let seen: [Column] = found.columns.compactMap { mapping in
            var column = named[mapping.source]
            column?.name = mapping.target
            column?.targetType = found.types[mapping.target]
            return column
        }
        let added = found.types.filter { name, _ in !seen.contains { $0.name == name } }
        row = seen + added.sorted { $0.key < $1.key }.map { Column(name: $0.key, type: $0.value) }
    }
}

extension TableTypes.Column {
    fileprivate init(_ column: CatalogColumn, _ notes: ColumnNotes?, isKey: Bool) {
        self.init(name: column.name, type: column.typeName)
        self.isKey = isKey
        baseType = notes?.baseTypeName
        labels = notes?.labels ?? []
        comment = notes?.comment
        isNotNull = column.isNotNull || notes?.refusesNull == true
        isGenerated = column.isGenerated
    }
}
