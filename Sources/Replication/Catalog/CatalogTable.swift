package import PostgresProtocol

/// A table as a server's catalog describes it.
package struct CatalogTable: Sendable {
    package enum Kind: Sendable {
        case plain
        case partitioned
        /// A view or the like, as far as pipelines care.
        case other
    }

    package var name: QualifiedName
    package var oid: OID
    package var kind: Kind
    /// In order, without dropped ones.
    package var columns: [CatalogColumn]
    /// Columns of the primary key, else of the smallest unique index without NULLs; empty if there is none.
    package var key: [String]
    /// Of a partition, the partitioned table that it belongs to in the end.
    package var root: QualifiedName?
    /// Pages of 8 kB, as they are now.
    package var pages: Int
    /// The planner's estimate of the number of rows, -1 if there is none.
    package var rows: Double
    /// Its changes are in the log; those of an unlogged table are not.
    package var isLogged = true
    /// Rows with different keys do not get into each other's way: nothing else has to be unique.
    package var hasOnlyItsKey = false
    /// It has triggers or rules that fire for changes of a replica, too.
    package var firesAlways = false

    /// For `FROM`: its rows with those of its partitions, without those of tables that inherit from it.
    package var rowsSQL: String { kind == .partitioned ? name.sql : "ONLY " + name.sql }

    package func column(_ name: String) -> CatalogColumn? { columns.first { $0.name == name } }
}

package struct CatalogColumn: Sendable, Equatable {
    package enum Identity: Sendable {
        case always
        case byDefault
    }

    package var name: String
    package var number: Int
    /// Of a domain, its base type.
    package var type: OID
    /// As `format_type` has it, of a domain the domain's own.
    package var typeName: String
    /// The same without a modifier, so that a cast to it changes no value.
    package var bareTypeName = ""
    /// How values are read and written; enums and citext are `.text`.
    package var kind: ValueKind
    package var isNotNull: Bool
    package var isGenerated: Bool
    package var identity: Identity?
    package var hasDefault: Bool
    /// An index can find ranges of it: its type has an order.
    package var isOrdered: Bool

    /// The same binary form on every server.
    package var isPortable: Bool { kind.hasPortableBinary }
}
