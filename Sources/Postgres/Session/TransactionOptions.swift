/// How a transaction runs; nil leaves the session's default.
package struct TransactionOptions: Sendable, Equatable {
    package enum Isolation: String, Sendable, CaseIterable {
        case readCommitted = "READ COMMITTED"
        case repeatableRead = "REPEATABLE READ"
        case serializable = "SERIALIZABLE"
    }

    package var isolation: Isolation?
    package var isReadOnly: Bool?
    package var isDeferrable: Bool?

    package init(isolation: Isolation? = nil, isReadOnly: Bool? = nil, isDeferrable: Bool? = nil) {
        self.isolation = isolation
        self.isReadOnly = isReadOnly
        self.isDeferrable = isDeferrable
    }

    var sql: String {
        var modes: [String] = []
        if let isolation { modes.append("ISOLATION LEVEL \(isolation.rawValue)") }
        if let isReadOnly { modes.append(isReadOnly ? "READ ONLY" : "READ WRITE") }
        if let isDeferrable { modes.append(isDeferrable ? "DEFERRABLE" : "NOT DEFERRABLE") }
        return modes.isEmpty ? "BEGIN" : "BEGIN " + modes.joined(separator: ", ")
    }
}
