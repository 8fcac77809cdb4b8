package import Postgres
package import PostgresProtocol

package struct SchemaRequest: Sendable {
    package var source: CatalogTable
    package var target: QualifiedName
    package var columns: [ColumnMapping]?
    package var types: [String: String]
    package var keepsKeyFirst: Bool
}
package struct SchemaPlan: Sendable {
    package var preData: [SchemaStep] = []
    package var postData: [[SchemaStep]] = []
    package var leftOut: [String] = []
}
package struct SchemaStep: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable { case table, index }
    package var kind: Kind
    package var name: QualifiedName
    package var sql: String
    package var table: QualifiedName?
}
package enum SchemaPlanner {
    package static func plan(
        _ requests: [SchemaRequest], made: Set<QualifiedName>, source: Connection, target: Connection
    ) async throws(ReplicationError) -> SchemaPlan { SchemaPlan() }
}
