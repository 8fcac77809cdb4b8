import EventLoops
import Postgres
import PostgresProtocol
import TestSupport

/// A database of its own with a publication of all tables, a session for SQL in it, and one with a walsender.
struct Walsender {
    static let publication = "it's \"all\""

    let sql: Connection
    let connection: Connection

    /// With a session of its own.
    func another() async throws -> Walsender {
        let other = try await Connection.connectForReplication(
            connection.settings, purpose: "test", on: sql.loop, until: soon)
        return Walsender(sql: sql, connection: other)
    }

    /// A temporary slot's stream from the slot's beginning.
    func stream(isBinary: Bool = true) async throws -> ReplicationStream {
        let slot = try await connection.createReplicationSlot(
            slotName(), isTemporary: true, exportsSnapshot: false, until: soon)
        return try await start(slot.name, isBinary: isBinary)
    }

    func start(_ slot: String, from start: LSN = .zero, isBinary: Bool = true) async throws -> ReplicationStream {
        let request = StreamRequest(slot: slot, start: start, publications: [Self.publication], isBinary: isBinary)
        return try await connection.startReplication(request, until: soon)
    }
}

var soon: ContinuousClock.Instant { .now + .seconds(20) }

func slotName() -> String { "slot_\(UInt64.random(in: 0 ... .max))" }

/// Runs `statements` in a new database before `body`. With a proxy, the walsender is reached through it.
func withWalsender(
    _ statements: [String] = [], through proxy: FaultProxy? = nil,
    _ body: @escaping @Sendable (Walsender) async throws -> Void
) async throws {
    let database = try await withConnection { connection in
        let name = "replication_\(UInt64.random(in: 0 ... .max))"
        try await connection.execute("create database \(name)")
        return name
    }
    try await withConnection(TestServer.shared().conninfo(database: database)) { sql in
        for statement in statements { try await sql.execute(statement) }
        try await sql.execute("create publication \(SQLText.quoteIdentifier(Walsender.publication)) for all tables")
        let settings = try proxy.map { try ConnectionSettings($0.conninfo(database: database)) } ?? sql.settings
        let connection = try await Connection.connectForReplication(
            settings, purpose: "test", on: sql.loop, until: soon)
        defer { connection.close() }
        try await body(Walsender(sql: sql, connection: connection))
    }
}

extension ReplicationStream {
    /// What the next `count` transactions hold, a line for each message but Begin and Commit. A server may say again what
    /// a table is whenever anything in the database has changed: only the first time counts.
    func transactions(_ count: Int) async throws -> [String] {
        try await readTransactions(count).lines
    }

    /// Also the end of the last one.
    func readTransactions(_ count: Int) async throws -> (lines: [String], end: LSN) {
        var lines: [String] = []
        var left = count
        while true {
            let bytes = try await next(until: soon)
            guard case .data(let data) = try StreamFrame(decoding: bytes) else { continue }
            let message = try LogicalMessage(decoding: data.payload)
            if let line = message.line(data.payload), !line.hasPrefix("relation") || !lines.contains(line) {
                lines.append(line)
            }
            if case .commit(let commit) = message {
                left -= 1
                if left == 0 { return (lines, commit.endLSN) }
            }
        }
    }

    /// The next keepalive.
    func keepalive() async throws -> Keepalive {
        while true {
            if case .keepalive(let keepalive) = try StreamFrame(decoding: try await next(until: soon)) {
                return keepalive
            }
        }
    }
}

extension LogicalMessage {
    /// As in `update key 1|- to 2|x`; nil for Begin and Commit.
    func line(_ bytes: UnsafeRawBufferPointer) -> String? {
        switch self {
        case .begin, .commit: nil
        case .origin(let origin): "origin \(origin.name)"
        case .type(let type): "type \(type.name)"
        case .relation(let relation):
            "relation \(relation.name) \(relation.identity) "
                + relation.columns.map { $0.name + ($0.isKey ? "*" : "") }.joined(separator: "|")
        case .insert(let insert): "insert \(insert.new.line(bytes))"
        case .update(let update): "update \(update.old.map { $0.line(bytes) + " to " } ?? "")\(update.new.line(bytes))"
        case .delete(let delete): "delete \(delete.old.line(bytes))"
        case .truncate(let truncate):
            "truncate \(truncate.relations.count)\(truncate.cascades ? " cascade" : "")"
                + (truncate.restartsIdentity ? " restart identity" : "")
        case .message(let message):
            "message \(message.isTransactional) \(message.prefix) "
                + String(decoding: UnsafeRawBufferPointer(rebasing: bytes[message.content]), as: UTF8.self)
        }
    }
}

extension OldTuple {
    fileprivate func line(_ bytes: UnsafeRawBufferPointer) -> String {
        switch self {
        case .key(let tuple): "key \(tuple.line(bytes))"
        case .full(let tuple): "full \(tuple.line(bytes))"
        }
    }
}

extension TupleData {
    /// NULL is -, an unchanged value ~; binary ones are hexadecimal.
    fileprivate func line(_ message: UnsafeRawBufferPointer) -> String {
        var fields: [TupleField] = []
        readFields(in: message, into: &fields)
        return fields.map { field in
            let bytes = field.bytes(in: message)
            return switch field.kind {
            case .null: "-"
            case .unchanged: "~"
            case .text: String(decoding: bytes, as: UTF8.self)
            case .binary: "x" + bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            }
        }.joined(separator: "|")
    }
}
