import EventLoops
import Postgres
import Synchronization
import TestSupport
import Testing

/// A pool and what it warned of.
final class TestPool: Sendable {
    let pool: ConnectionPool
    private let heard = Warnings()
    /// Every connection carries an application name of its own, so that the server can count them.
    let applicationName: String

    init(
        _ conninfo: String, _ change: (inout PoolSettings) -> Void = { _ in },
        onConnect: (@Sendable (Connection) async throws(PostgresError) -> Void)? = nil
    ) throws {
        var settings = PoolSettings()
        settings.max = 5
        settings.timeout = .seconds(20)
        change(&settings)
        let name = "pool\(UInt32.random(in: .min ... .max))"
        var target = try ConnectionSettings(conninfo)
        try target.set("application_name", to: name)
        var hooks = PoolHooks(target)
        hooks.onConnect = onConnect
        hooks.onWarning = { [heard] warning in heard.add(warning) }
        pool = try ConnectionPool(settings, hooks: hooks)
        applicationName = name
    }

    var warnings: [PoolWarning] { heard.all }

    /// Runs `body` with a lease, which goes back afterwards.
    func with<Value: Sendable>(
        on loop: EventLoop, timeout: Duration? = nil, _ body: (Connection) async throws -> Value
    ) async throws -> Value {
        let lease = try await pool.acquire(on: loop, timeout: timeout, site: BorrowSite("test.lua:1"))
        defer { pool.release(lease) }
        return try await body(lease.connection)
    }

    private final class Warnings: Sendable {
        private let list = Mutex<[PoolWarning]>([])

        var all: [PoolWarning] { list.withLock { $0 } }

        func add(_ warning: PoolWarning) { list.withLock { $0.append(warning) } }
    }
}

extension Connection {
    /// The text of the only field of a query without parameters.
    func text(_ sql: String) async throws -> String? {
        try await query(sql, [], until: .now + .seconds(20)).text()
    }
}

/// The error that `body` throws.
func poolError<Value>(_ body: () async throws -> Value) async throws -> PoolError {
    do {
        _ = try await body()
    } catch let error as PoolError {
        return error
    }
    throw NothingThrown()
}

func rejection(_ error: PoolError) -> ConnectFailure? {
    guard case .rejected(let failure) = error else { return nil }
    return failure
}

/// Borrows so many at the same time, and gives them back; their backends.
func leasePids(_ count: Int, _ test: TestPool, on loop: EventLoop) async throws -> Set<Int32> {
    var leases: [Lease] = []
    defer { for lease in leases { test.pool.release(lease) } }
    for _ in 0..<count { leases.append(try await test.pool.acquire(on: loop)) }
    return Set(try leases.map { try $0.connection.pid })
}

/// One borrow on an event loop of its own.
func borrowOnce(_ test: TestPool) async throws -> String? {
    let pinned = Pinned()
    return try await pinned.run { pinned in
        try await test.with(on: pinned.loop) { try await $0.text("select 'served'") }
    }
}

/// Ends a backend, and waits until it is gone.
func terminate(_ pid: Int32, _ server: TestServer) async throws {
    try server.run("select pg_terminate_backend(\(pid), 5000)")
}

/// A value that a test changes while others read it.
final class Shelf<Value: Sendable>: Sendable {
    private let stored: Mutex<Value>

    init(_ value: Value) { stored = Mutex(value) }

    var value: Value {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }
}
