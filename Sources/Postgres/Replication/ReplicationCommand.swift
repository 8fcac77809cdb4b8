package import PostgresProtocol

/// What `START_REPLICATION` is to send, and from where.
package struct StreamRequest: Equatable, Sendable {
    package var slot: String
    /// The server begins with the first transaction whose commit is not before this position or the slot's own confirmed
    /// one, whichever is later; `.zero` for the slot's.
    package var start: LSN
    package var publications: [String]
    /// Values in binary form, of types that have one.
    package var isBinary: Bool
    /// What `pg_logical_emit_message` writes is sent, too.
    package var includesMessages: Bool

    package init(
        slot: String, start: LSN, publications: [String], isBinary: Bool = true, includesMessages: Bool = true
    ) {
        self.slot = slot
        self.start = start
        self.publications = publications
        self.isBinary = isBinary
        self.includesMessages = includesMessages
    }
}

/// The text of a walsender's commands, in forms that servers 14 to 18 understand. Their strings know no escapes but the
/// doubled quote.
enum ReplicationCommand {
    static let identifySystem = "IDENTIFY_SYSTEM"

    static func createSlot(_ name: String, isTemporary: Bool, exportsSnapshot: Bool) -> String {
        let slot = SQLText.quoteIdentifier(name) + (isTemporary ? " TEMPORARY" : "")
        let snapshot = exportsSnapshot ? "EXPORT_SNAPSHOT" : "NOEXPORT_SNAPSHOT"
        return "CREATE_REPLICATION_SLOT \(slot) LOGICAL pgoutput \(snapshot)"
    }

    static func dropSlot(_ name: String, waiting: Bool) -> String {
        "DROP_REPLICATION_SLOT \(SQLText.quoteIdentifier(name))" + (waiting ? " WAIT" : "")
    }

    static func start(_ request: StreamRequest) -> String {
        // The value is itself a list of identifiers.
        let publications = request.publications.map(SQLText.quoteIdentifier).joined(separator: ",")
        let options = [
            ("proto_version", "1"), ("publication_names", publications), ("binary", "\(request.isBinary)"),
            ("messages", "\(request.includesMessages)"),
        ]
        let list = options.map { "\($0.0) \(literal($0.1))" }.joined(separator: ", ")
        return "START_REPLICATION SLOT \(SQLText.quoteIdentifier(request.slot)) LOGICAL \(request.start) (\(list))"
    }

    private static func literal(_ value: String) -> String {
        "'" + value.replacing("'", with: "''") + "'"
    }
}
