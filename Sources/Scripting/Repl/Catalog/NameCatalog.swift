import PostgresProtocol

/// The names of a database's objects, ready to be looked through while somebody types.
package struct NameCatalog: Sendable {
    package struct Relation: Sendable, Equatable {
        package var schema: String
        package var name: String
        /// Found without its schema.
        package var isVisible: Bool
        /// As one text: most are never asked for.
        package var columnList: String
        /// As it is written in SQL, in quotes if it needs them.
        package let sqlName: String

        package init(schema: String, name: String, isVisible: Bool, columnList: String) {
            self.schema = schema
            self.name = name
            self.isVisible = isVisible
            self.columnList = columnList
            sqlName = SQLText.displayIdentifier(name)
        }

        package var columns: [String] { columnList.isEmpty ? [] : columnList.split(separator: "\n").map(String.init) }
    }

    /// By name.
    private let relations: [Relation]
    private let bySchema: [String: [Relation]]
    package let schemas: [String]
    /// By name.
    package let functions: [String]

    package static let empty = NameCatalog(relations: [], schemas: [], functions: [])

    package init(relations: [Relation], schemas: [String], functions: [String]) {
        self.relations = relations.sorted { $0.name < $1.name }
        bySchema = Dictionary(grouping: self.relations, by: \.schema)
        self.schemas = schemas.sorted()
        self.functions = functions.sorted()
    }

    package var isEmpty: Bool { relations.isEmpty && schemas.isEmpty }

    /// Of one schema, or of those that need none; names beginning with `prefix`.
    package func relations(_ prefix: String, in schema: String? = nil) -> [Relation] {
        guard let schema else { return Self.range(prefix, in: relations, \.name).filter(\.isVisible) }
        return Array(Self.range(prefix, in: bySchema[schema] ?? [], \.name))
    }

    /// As `relations`, only their names in SQL; `isUser` leaves out what is the server's own.
    package func names(_ prefix: String, in schema: String? = nil, isUser: Bool = false) -> [String] {
        let found = Self.range(prefix, in: schema.map { bySchema[$0] ?? [] } ?? relations, \.name)
        return found.lazy.filter { relation in
            (schema != nil || relation.isVisible) && !(isUser && relation.schema == "pg_catalog")
        }.map(\.sqlName)
    }

    package func functionNames(_ prefix: String) -> ArraySlice<String> { Self.range(prefix, in: functions, \.self) }

    package func relation(_ name: String, in schema: String?) -> Relation? {
        relations(name, in: schema).first { $0.name == name }
    }

    /// Two binary searches.
    private static func range<Element>(
        _ prefix: String, in elements: [Element], _ name: (Element) -> String
    ) -> ArraySlice<Element> {
        let start = partition(elements) { name($0) >= prefix }
        let end =
            prefix.isEmpty ? elements.count : partition(elements) { name($0) > prefix && !name($0).hasPrefix(prefix) }
        return elements[min(start, end)..<end]
    }

    /// The first element for which the condition holds; it holds for all after it.
    private static func partition<Element>(_ elements: [Element], _ holds: (Element) -> Bool) -> Int {
        var (low, high) = (0, elements.count)
        while low < high {
            let middle = (low + high) / 2
            if holds(elements[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
