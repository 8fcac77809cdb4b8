import EventLoops
import Glibc
import Postgres
import PostgresProtocol
import TestSupport
import Testing

/// An actor on an event loop of its own: what it runs may use connections.
actor Pinned {
    nonisolated let loop: EventLoop
    private let ownsLoop: Bool

    init() {
        loop = EventLoop(name: "test")
        ownsLoop = true
    }

    /// Beside others on the loop of a connection.
    init(besides connection: Connection) {
        loop = connection.loop
        ownsLoop = false
    }

    deinit { if ownsLoop { loop.stop() } }

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    func run<Value: Sendable>(_ body: @Sendable (isolated Pinned) async throws -> Value) async rethrows -> Value {
        try await body(self)
    }
}

/// Runs `body` with a connection to the shared server, on a loop of its own.
func withConnection<Value: Sendable>(
    _ conninfo: String? = nil, _ body: @escaping @Sendable (Connection) async throws -> Value
) async throws -> Value {
    let conninfo = try conninfo ?? TestServer.shared().conninfo()
    let pinned = Pinned()
    return try await pinned.run { pinned in
        let connection = try await Connection.connect(
            ConnectionSettings(conninfo), on: pinned.loop, until: .now + .seconds(20))
        defer { connection.close() }
        return try await body(connection)
    }
}

/// The error that `body` throws.
func postgresError<Value>(_ body: () async throws -> Value) async throws -> PostgresError {
    do {
        _ = try await body()
    } catch let error as PostgresError {
        return error
    }
    throw NothingThrown()
}

struct NothingThrown: Error {}

extension ResultSet {
    /// The text of a field, nil for NULL.
    func text(_ row: Int = 0, _ column: Int = 0) -> String? {
        field(row, column).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The number in a binary integer field.
    func integer(_ row: Int = 0, _ column: Int = 0) -> Int? {
        field(row, column).map { bytes in
            let negative = (bytes.first ?? 0) >= 0x80
            return bytes.reduce(negative ? -1 : 0) { $0 << 8 | Int($1) }
        }
    }
}

extension RowStream {
    /// Hands every row to `body`; the number of rows.
    @discardableResult
    func forEach(_ body: (ResultRow) -> Void = { _ in }) async throws -> Int {
        var count = 0
        while true {
            switch try next() {
            case .row(let row):
                count += 1
                body(row)
            case .pending: try await wait()
            case .end: return count
            }
        }
    }
}
