import LuaRuntime
import Postgres
import Sandbox
import Synchronization

/// A host's pools by their options: the same options in several workers are the same pool.
final class PoolRegistry: Sendable {
    private let pools = Mutex<[String: ConnectionPool]>([:])

    func pool(_ options: PoolOptions, _ worker: ScriptWorker) throws(ScriptError) -> ConnectionPool {
        guard options.isShareable else { return Self.warmedUp(try Self.make(options, worker), options) }
        if let known = pools.withLock({ $0[options.key] }), !known.statistics().isClosed { return known }
        let made = try Self.make(options, worker)
        // Workers that start together ask together: the first one's is the pool.
        let stored = pools.withLock { pools in
            if let other = pools[options.key], !other.statistics().isClosed { return other }
            pools[options.key] = made
            return made
        }
        return stored === made ? Self.warmedUp(made, options) : stored
    }

    private static func warmedUp(_ pool: ConnectionPool, _ options: PoolOptions) -> ConnectionPool {
        if options.settings.min > 0 { pool.warmUp() }
        return pool
    }

    var all: [ConnectionPool] { pools.withLock { Array($0.values) } }

    /// Closes every pool; leases get `timeout`.
    func closeAll(timeout: Duration) async {
        let all = pools.withLock { pools in
            defer { pools = [:] }
            return Array(pools.values)
        }
        for pool in all { await pool.close(timeout: timeout) }
    }

    private static func make(_ options: PoolOptions, _ worker: ScriptWorker) throws(ScriptError) -> ConnectionPool {
        do {
            return try ConnectionPool(options.settings, hooks: hooks(options, worker))
        } catch {
            throw ScriptError(error)
        }
    }

    private static func hooks(_ options: PoolOptions, _ worker: ScriptWorker) -> PoolHooks {
        var hooks = PoolHooks(settings: settings(options, worker))
        hooks.onWarning = { Diagnostics.warn("\($0)") }
        let limit = options.statementCache
        let callback = options.onConnect.map { LuaCallback($0, worker, limit: options.settings.connectTimeout) }
        guard limit != nil || callback != nil else { return hooks }
        hooks.onConnect = { connection async throws(PostgresError) in
            if let limit { connection.preparedStatementLimit = limit }
            if let callback { try await callback.prepare(connection) }
        }
        return hooks
    }

    private static func settings(
        _ options: PoolOptions, _ worker: ScriptWorker
    ) -> @Sendable () async throws(PostgresError) -> ConnectionSettings {
        let keywords = options.keywords
        switch options.target {
        case .settings(let settings): return { () async throws(PostgresError) in settings }
        case .sandbox(let name):
            return { () async throws(PostgresError) in try await sandbox(name, keywords) }
        case .function(let reference):
            let callback = LuaCallback(reference, worker, limit: options.settings.connectTimeout)
            return { () async throws(PostgresError) in
                let dsn = try await callback.text()
                if dsn.hasPrefix("sandbox:") { return try await sandbox(String(dsn.dropFirst(8)), keywords) }
                let settings = try ConnectionSettings(dsn)
                return keywords.isEmpty ? settings : settings.merging(try ConnectionSettings(keywords: keywords))
            }
        }
    }

    /// Starts the named server if it does not run; that may take seconds, so it happens on a thread of its own.
    private static func sandbox(
        _ name: String, _ keywords: [String: String]
    ) async throws(PostgresError) -> ConnectionSettings {
        let outcome = await Blocking.run { () -> Result<String, SandboxError> in
            do throws(SandboxError) {
                return .success(try SandboxServers().connectionString(name))
            } catch {
                return .failure(error)
            }
        }
        switch outcome {
        case .success(let text):
            let settings = try ConnectionSettings(text)
            return keywords.isEmpty ? settings : settings.merging(try ConnectionSettings(keywords: keywords))
        case .failure(let error):
            throw .invalidSettings(reason: "sandbox \"\(name)\": \(error)", hint: error.hint)
        }
    }
}
