package import PostgresProtocol

/// A source table with what a pipeline's rule makes of it, resolved against the catalogs of both sides.
package struct TableMapping: Sendable {
    package let source: CatalogTable
    /// Position in `PipelineDefinition.rules`.
    package let rule: Int
    package let options: TableOptions
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
}
