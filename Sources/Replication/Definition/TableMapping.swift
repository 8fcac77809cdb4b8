package import PostgresProtocol

/// A source table with what a pipeline's rule makes of it, resolved against the catalogs of both sides.
package struct TableMapping: Sendable {
    package let source: CatalogTable
    /// Position in `PipelineDefinition.rules`.
    package let rule: Int
    package var options: TableOptions
    /// Where rows go that no function sends elsewhere.
    package let target: CatalogTable
    /// Columns that are read and the target's columns they are for, in the source's order; without generated ones.
    /// A transform sees them under their target names.
    package let columns: [ColumnMapping]
    /// Columns of the target that the source does not have, which a transform may set (`types`).
    package let added: [String]
    /// Target columns that tell a row from all others; empty if nothing does.
    package let key: [String]
    /// Of the rows that are read.
    package let format: DataFormat

    package init(
        source: CatalogTable, rule: Int, options: TableOptions, target: CatalogTable, columns: [ColumnMapping],
        added: [String], key: [String], format: DataFormat
    ) {
        self.source = source
        self.rule = rule
        self.options = options
        self.target = target
        self.columns = columns
        self.added = added
        self.key = key
        self.format = format
    }

    /// What the rule makes of a table; throws if it does not fit the target.
    package init(_ table: SelectedTable, target: CatalogTable) throws(ReplicationError) {
        let columns = try Self.columns(table, target)
        let added = table.options.types.keys.sorted().filter { name in
            target.column(name) != nil && !columns.contains { $0.target == name }
        }
        self.init(
            source: table.source, rule: table.rule, options: table.options, target: target, columns: columns,
            added: added, key: Self.key(table, target, columns),
            format: Self.format(table.source, target, columns, converts: table.options.hasTransform))
        try checkKey()
    }

    /// The rows that are read, under the source's names.
    package var input: [InputColumn] {
        columns.compactMap { mapping in
            source.column(mapping.source).map {
                InputColumn(name: mapping.source, type: $0.type, kind: $0.kind, format: format)
            }
        }
    }

    /// A generated column of the source can be read, though not by COPY of the table alone.
    var readsGenerated: Bool { columns.contains { source.column($0.source)?.isGenerated == true } }
}

// MARK: - Resolving

extension TableMapping {
    private static func columns(
        _ table: SelectedTable, _ target: CatalogTable
    ) throws(ReplicationError) -> [ColumnMapping] {
        guard target.kind != .other else {
            throw .mismatch(
                code: "RH3303", "\(target.name) in the target is no table", hint: "Name another table with \"to\".")
        }
        var columns = table.source.columns.map { ColumnMapping(source: $0.name, target: $0.name) }
        if let list = table.options.columns { columns = try chosen(list, table.source) }
        var writable: [ColumnMapping] = []
        for column in columns {
            guard let counterpart = target.column(column.target) else { throw missing(column, table, target) }
            if !counterpart.isGenerated { writable.append(column) }
        }
        return writable
    }

    /// The listed columns in the source's order.
    private static func chosen(
        _ list: [ColumnMapping], _ source: CatalogTable
    ) throws(ReplicationError) -> [ColumnMapping] {
        for column in list where source.column(column.source) == nil {
            throw .unknownColumn(column.source, of: source.name, .source, known: source.columns.map(\.name))
        }
        return source.columns.flatMap { column in list.filter { $0.source == column.name } }
    }

    private static func missing(
        _ column: ColumnMapping, _ table: SelectedTable, _ target: CatalogTable
    ) -> ReplicationError {
        .mismatch(
            code: "RH3304",
            "column \"\(column.source)\" of \(table.source.name) has no place in \(target.name) of the target",
            hint: "Add the column there, or list in \"columns\" what is to be copied, "
                + "with new names as { \(column.source) = \"…\" }.")
    }

    /// Binary when both sides know each type by the same bytes; a transform's rows are converted column by column.
    private static func format(
        _ source: CatalogTable, _ target: CatalogTable, _ columns: [ColumnMapping], converts: Bool
    ) -> DataFormat {
        let isBinary = columns.allSatisfy { column in
            guard let from = source.column(column.source), from.isPortable else { return false }
            return converts || target.column(column.target)?.kind == from.kind
        }
        return isBinary ? .binary : .text
    }

    /// The target's own, which a table that was just made does not have yet, else what the rule or the source says.
    private static func key(
        _ table: SelectedTable, _ target: CatalogTable, _ columns: [ColumnMapping]
    ) -> [String] {
        if !target.key.isEmpty { return target.key }
        if let named = table.options.key { return named }
        let mapped = table.source.key.compactMap { name in columns.first { $0.source == name }?.target }
        return mapped.count == table.source.key.count ? mapped : []
    }

    private func checkKey() throws(ReplicationError) {
        for name in options.key ?? [] where target.column(name) == nil {
            throw .unknownColumn(name, of: target.name, .target, known: target.columns.map(\.name))
        }
        guard options.onConflict != .error, target.key.isEmpty else { return }
        throw .mismatch(
            code: "RH3306", "\(target.name) has no key, which on_conflict = \"\(options.onConflict)\" needs",
            hint: "Add a primary key or a unique index over columns that are NOT NULL.")
    }
}
