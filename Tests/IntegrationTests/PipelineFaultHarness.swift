import Foundation
import TestSupport
import Testing

/// A pipeline file between two databases, run by the built program.
struct CopyProgram {
    let source: Side
    let target: Side
    /// Of the file.
    let path: String

    /// A database and the server it is on.
    struct Side {
        let server: TestServer
        let conninfo: String

        init(_ server: TestServer? = nil) throws {
            let server = try server ?? TestServer.shared()
            self.server = server
            conninfo = try server.makeDatabase()
        }

        @discardableResult
        func run(_ statements: String...) throws -> String {
            try statements.map { try server.run($0, in: conninfo) }.last ?? ""
        }

        /// The name of the database.
        var database: String { conninfo.split(separator: "dbname=").last.map { String($0) } ?? "" }

        /// Sessions of replhost's.
        func sessions() throws -> Int {
            let sql =
                "select count(*) from pg_stat_activity where datname = '\(database)' and application_name <> 'psql'"
            return Int(try server.run(sql)) ?? -1
        }
    }

    /// - Parameters:
    ///   - options: of the pipeline but for its pools, as Lua; `mask` stands before it.
    ///   - sourceAddress: where the program finds the source, if not at its own address; so is `targetAddress`.
    init(
        _ options: String, functions: String = "", source: Side? = nil, target: Side? = nil,
        sourceAddress: String? = nil, targetAddress: String? = nil
    ) throws {
        self.source = try source ?? Side()
        self.target = try target ?? Side()
        path = try ConsoleProcess.makeFile(
            "copy.lua",
            """
            local rh = require "replhost"
            local source = rh.pool { dsn = "\(sourceAddress ?? self.source.conninfo)" }
            local sink = rh.pool { dsn = "\(targetAddress ?? self.target.conninfo)" }
            \(functions)
            return rh.pipeline "copy" { source = source, sink = sink, stream = false, \(options) }
            """)
    }

    func start() throws -> ConsoleProcess { try ConsoleProcess([path]) }

    /// Runs it to its end, which has to be a good one.
    @discardableResult
    func finish(_ location: SourceLocation = #_sourceLocation) async throws -> ConsoleProcess.Output {
        let result = try await start().finished()
        #expect(result.status == 0, "\(result.errors)", sourceLocation: location)
        return result
    }

    /// Starts it and kills it after a while, if it has not ended by itself; false if it has.
    func killed(after time: Duration) async throws -> Bool {
        let process = try start()
        try await Task.sleep(for: time)
        process.signal(SIGKILL)
        let result = try await process.finished()
        if result.status != 128 + SIGKILL { #expect(result.status == 0, "\(result.errors)") }
        return result.status == 128 + SIGKILL
    }

    /// How many chunks are in the target; 0 while there is no ledger.
    func chunksDone() throws -> Int {
        guard try target.run("select to_regclass('replhost.chunk') is not null") == "t" else { return 0 }
        return Int(try target.run("select count(*) from replhost.chunk where copied_at is not null")) ?? 0
    }

    /// Waits until so many chunks are in the target.
    func untilChunksDone(_ count: Int, in process: ConsoleProcess) async throws {
        let found = try await eventually(within: .seconds(20)) { try chunksDone() >= count }
        try #require(found, "\(process.errors)")
    }

    /// The tables hold the same rows on both sides, each as often.
    func expectEqual(_ tables: String..., location: SourceLocation = #_sourceLocation) throws {
        for table in tables { try expectEqual(table, inTarget: table, location) }
    }

    /// A table or query in the source gives the same rows as the other one in the target, each as often.
    func expectEqual(
        _ wanted: String, inTarget found: String, _ location: SourceLocation = #_sourceLocation
    ) throws {
        let sides = (try source.run(Self.checksum(wanted)), try target.run(Self.checksum(found)))
        #expect(sides.0 == sides.1, "\(wanted)", sourceLocation: location)
    }

    private static func checksum(_ rows: String) -> String {
        let query = rows.hasPrefix("select") ? "(\(rows))" : rows
        return "select count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) from \(query) t"
    }
}

extension SeededGenerator {
    /// With its seed in the test's output; `REPLHOST_TEST_SEED` repeats it.
    static func noted(_ seed: UInt64? = nil, for test: String = #function) -> SeededGenerator {
        let wanted = ProcessInfo.processInfo.environment["REPLHOST_TEST_SEED"].flatMap { UInt64($0) }
        let seed = seed ?? wanted ?? .random(in: 0...UInt64.max)
        print("\(test): seed \(seed)")
        return SeededGenerator(seed: seed)
    }

    mutating func duration(_ milliseconds: ClosedRange<Int>) -> Duration {
        .milliseconds(Int.random(in: milliseconds, using: &self))
    }
}

/// A table that somebody else has locked.
struct LockedTable {
    private let side: CopyProgram.Side
    private let holder: Task<String?, any Error>

    init(_ table: String, _ mode: String, in side: CopyProgram.Side) throws {
        self.side = side
        holder = onItsOwnThread {
            try? side.run("begin; lock table \(table) in \(mode) mode; select pg_sleep(60)")
        }
    }

    /// The pids of those who wait for a lock on a table.
    func waiting() throws -> String {
        try side.run(
            """
            select string_agg(pid::text, ' ') from pg_locks
            where not granted and locktype = 'relation'
              and database = (select oid from pg_database where datname = current_database())
            """)
    }

    func release() async throws {
        try side.run(
            """
            select pg_terminate_backend(pid) from pg_stat_activity
            where query like '%pg_sleep(60)' and datname = current_database() and pid <> pg_backend_pid()
            """)
        _ = try await holder.value
    }
}

/// Runs what blocks for long.
func onItsOwnThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) -> Task<Value, any Error> {
    Task {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
        }
    }
}
