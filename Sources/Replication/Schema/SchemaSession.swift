import Postgres
import PostgresProtocol

/// A connection to one side, with settings under which the server's texts mean the same everywhere.
struct SchemaSession {
    let connection: Connection
    let side: ReplicationError.Side

    /// As pg_dump has them; an empty search path makes the server qualify every name. Compiling such queries takes
    /// longer than running them.
    private static let settings = [
        ("search_path", ""), ("datestyle", "ISO"), ("intervalstyle", "postgres"), ("extra_float_digits", "3"),
        ("standard_conforming_strings", "on"), ("quote_all_identifiers", "off"), ("jit", "off"),
    ]

    var version: Int { connection.serverVersion }

    /// What `leave` has to do.
    enum Entry {
        case transaction
        /// A transaction of the caller's, with the settings it had.
        case settings([(String, String)])
    }

    /// Opens a transaction unless one is open, and sets what texts depend on.
    func enter() async throws(ReplicationError) -> Entry {
        guard connection.transactionStatus == .idle else {
            let old = try await currentSettings()
            try await apply(Self.settings)
            return .settings(old)
        }
        do throws(PostgresError) {
            try await connection.beginTransaction(TransactionOptions(isolation: .repeatableRead, isReadOnly: true))
        } catch {
            throw failure(error)
        }
        try await apply(Self.settings)
        return .transaction
    }

    func leave(_ entry: Entry) async throws(ReplicationError) {
        switch entry {
        case .settings(let old): try await apply(old)
        case .transaction:
            do throws(PostgresError) { try await connection.commit() } catch { throw failure(error) }
        }
    }

    /// After an error; a transaction of the caller's is for the caller to end.
    func abandon(_ entry: Entry) async {
        guard case .transaction = entry, !connection.isBroken else { return }
        try? await connection.rollback()
    }

    private func currentSettings() async throws(ReplicationError) -> [(String, String)] {
        let names = Self.settings.map(\.0)
        let reads = names.map { "current_setting('\($0)')" }.joined(separator: ", ")
        let old = try await rows("SELECT " + reads) { row in
            names.map { name in (name, row.string()) }
        }
        return old.first ?? []
    }

    private func apply(_ settings: [(String, String)]) async throws(ReplicationError) {
        let calls = settings.map { "set_config('\($0.0)', \(SQLText.quoteLiteral($0.1)), true)" }
        _ = try await rows("SELECT " + calls.joined(separator: ", ")) { _ in () }
    }

    /// All columns of `sql` are text; `make` reads them in order.
    func rows<Value>(
        _ sql: String, _ parameters: [String] = [], _ make: (inout CatalogRow) -> Value
    ) async throws(ReplicationError) -> [Value] {
        let result: ResultSet
        do throws(PostgresError) {
            result = try await connection.query(sql, parameters.map { Parameter.text($0) })
        } catch {
            throw failure(error)
        }
        return (0..<result.count).map { index in
            var row = CatalogRow(result: result, row: index)
            return make(&row)
        }
    }

    func failure(_ error: PostgresError) -> ReplicationError {
        .database(side, error, doing: "reading the \(side.rawValue)'s catalog")
    }
}

/// Fields of a row of text, read from left to right.
struct CatalogRow {
    /// Between the parts of a list: a character that no name has.
    static let separator: UInt8 = 0x1f

    let result: ResultSet
    let row: Int
    private var column = 0

    init(result: ResultSet, row: Int) {
        self.result = result
        self.row = row
    }

    mutating func text() -> String? {
        defer { column += 1 }
        return result.field(row, column).map { String(decoding: $0, as: UTF8.self) }
    }

    mutating func string() -> String { text() ?? "" }
    mutating func flag() -> Bool { text() == "true" }
    mutating func oid() -> OID { OID(text().flatMap { UInt32($0) } ?? 0) }
    mutating func number() -> Int { text().flatMap { Int($0) } ?? 0 }

    /// From `array_to_string(…, ',')`.
    mutating func numbers() -> [Int] {
        string().utf8.split(separator: UInt8(ascii: ",")).compactMap { Int(String($0) ?? "") }
    }

    /// From `array_to_string(…, E'\x1f')`.
    mutating func list() -> [String] {
        guard let text = text(), !text.isEmpty else { return [] }
        return text.utf8.split(separator: Self.separator, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
    }
}

extension Sequence {
    /// PostgreSQL's text form of an array of numbers.
    func arrayText() -> String where Element == OID { "{" + map(\.description).joined(separator: ",") + "}" }
    func arrayText() -> String where Element == Int { "{" + map(\.description).joined(separator: ",") + "}" }

    /// PostgreSQL's text form of an array of texts.
    func arrayText() -> String where Element == String {
        let quoted = map { text in
            var bytes: [UInt8] = []
            for byte in text.utf8 {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
                bytes.append(byte)
            }
            return "\"" + String(decoding: bytes, as: UTF8.self) + "\""
        }
        return "{" + quoted.joined(separator: ",") + "}"
    }
}
