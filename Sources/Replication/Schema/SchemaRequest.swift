package import PostgresProtocol

/// A source table whose shape a target is to have.
package struct SchemaRequest: Sendable {
    package var source: CatalogTable
    package var target: QualifiedName
    /// Which columns, renamed; nil for all under their own names.
    package var columns: [ColumnMapping]?
    /// Types by target column; columns that the source does not have are added.
    package var types: [String: String]
    /// The key must be there before the rows, as `on_conflict` needs it.
    package var keepsKeyFirst: Bool

    package init(
        source: CatalogTable, target: QualifiedName, columns: [ColumnMapping]? = nil, types: [String: String] = [:],
        keepsKeyFirst: Bool = false
    ) {
        self.source = source
        self.target = target
        self.columns = columns
        self.types = types
        self.keepsKeyFirst = keepsKeyFirst
    }
}
