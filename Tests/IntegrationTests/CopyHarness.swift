import EventLoops
import Postgres
import PostgresProtocol
import Replication
import TestSupport
import Testing

/// Two databases and a pipeline between them, without Lua.
final class CopyHarness: Sendable {
    let server: TestServer
    let targetServer: TestServer
    let source: String
    let target: String
    private let sourcePool: ConnectionPool
    private let targetPool: ConnectionPool

    /// Another one for each harness, as slots belong to the whole server.
    let name: String

    /// - Parameters:
    ///   - source: a database that is there already.
    ///   - proxy: stands between the pipeline and the server.
    convenience init(_ server: TestServer? = nil, source: String? = nil, through proxy: FaultProxy? = nil) throws {
        let server = try server ?? TestServer.shared()
        try self.init(
            server, source: source ?? server.makeDatabase(), target: server.makeDatabase(), on: server, through: proxy,
            and: proxy)
    }

    /// - Parameter other: the target's.
    init(
        _ server: TestServer, source: String, target: String, on other: TestServer, through proxy: FaultProxy? = nil,
        and targetProxy: FaultProxy? = nil
    ) throws {
        self.server = server
        targetServer = other
        self.source = source
        self.target = target
        name = "test_" + String((source + target).utf8.reduce(UInt64(5381)) { $0 &* 33 &+ UInt64($1) }, radix: 36)
        sourcePool = try Self.pool(source, proxy)
        targetPool = try Self.pool(target, targetProxy)
    }

    private static func pool(_ conninfo: String, _ proxy: FaultProxy?) throws -> ConnectionPool {
        // The last of equal words counts.
        let detour = proxy.map { " " + $0.conninfo().split(separator: " ").prefix(2).joined(separator: " ") } ?? ""
        return try ConnectionPool(PoolSettings(), hooks: PoolHooks(try ConnectionSettings(conninfo + detour)))
    }

    /// Copies everything in `public`.
    @discardableResult
    func copy(
        workers: Int = 2, _ options: TableOptions = TableOptions(),
        change: (inout PipelineDefinition) -> Void = { _ in }
    ) async throws -> PipelineRun.Result {
        try await withCrew(workers, options, change) { _, definition, coordinator, crew throws(ReplicationError) in
            let run = PipelineRun(definition, coordinator: coordinator, workers: crew, progress: CopyProgress())
            defer { run.end() }
            return try await run.copy()
        }
    }

    /// Copies what is left in `public`, then follows the changes up to now, or until `control` ends it.
    @discardableResult
    func follow(
        _ options: TableOptions = TableOptions(), control: StreamControl = StreamControl(once: true),
        progress: StreamProgress = StreamProgress(), change: (inout PipelineDefinition) -> Void = { _ in }
    ) async throws -> StreamControl.End {
        let configure: (inout PipelineDefinition) -> Void = { definition in
            definition.stream.isOn = true
            change(&definition)
        }
        return try await withCrew(1, options, configure) { _, definition, coordinator, crew throws(ReplicationError) in
            let run = PipelineRun(
                definition, coordinator: coordinator, workers: crew, progress: CopyProgress(), streamProgress: progress)
            defer { run.end() }
            return try await run.stream(control)
        }
    }

    func verify(
        repairs: Bool = false, _ options: TableOptions = TableOptions(),
        change: (inout PipelineDefinition) -> Void = { _ in }
    ) async throws -> [Verification] {
        try await withCrew(2, options, change) { _, definition, coordinator, crew throws(ReplicationError) in
            try await VerifyRun(
                definition, coordinator: coordinator, workers: crew, repairs: repairs, progress: CopyProgress()
            ).run()
        }
    }

    func check() async throws -> [CheckNote] {
        try await withCrew(2, TableOptions(), { _ in }) { _, definition, worker, _ throws(ReplicationError) in
            try await CheckRun(definition, worker).run()
        }
    }

    private func withCrew<Value: Sendable>(
        _ workers: Int, _ options: TableOptions, _ change: (inout PipelineDefinition) -> Void,
        _ body:
            @escaping @Sendable (isolated LoopActor, PipelineDefinition, PlainWorker, [PlainWorker])
            async throws(ReplicationError) -> Value
    ) async throws -> Value {
        let pattern = try #require(TablePattern("public.*"))
        var definition = PipelineDefinition(name: name, rules: [TableRule(pattern, .copy(options))], scriptHash: "x")
        definition.stream.isOn = false
        change(&definition)
        let crew = (0...workers).map { _ in PlainWorker(sourcePool, targetPool) }
        defer { for worker in crew { worker.actor.loop.stop() } }
        let final = definition
        let outcome = await crew[0].actor.run { actor in
            do throws(ReplicationError) {
                return Result<Value, ReplicationError>.success(
                    try await body(actor, final, crew[0], Array(crew.dropFirst())))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    func run(onSource sql: String...) throws { for text in sql { try server.run(text, in: source) } }

    func run(onTarget sql: String...) throws { for text in sql { try targetServer.run(text, in: target) } }

    /// A query's answer on both sides.
    func answers(_ sql: String) throws -> (source: String, target: String) {
        (try server.run(sql, in: source), try targetServer.run(sql, in: target))
    }

    /// A checksum over all rows of a table in their text form, whatever their order.
    static func checksum(of table: String) -> String {
        "select count(*), coalesce(sum(hashtextextended(whole_row::text, 0)), 0) from only \(table) whole_row"
    }
}

/// A worker without a script.
// Safe: its stored properties are.
final class PlainWorker: PipelineWorker {
    let actor = LoopActor(EventLoop(name: "copy test"))
    let source: ConnectionPool
    let sink: ConnectionPool

    init(_ source: ConnectionPool, _ sink: ConnectionPool) {
        self.source = source
        self.sink = sink
    }

    func makeTransform(_ mapping: TableMapping) throws(ReplicationError) -> (any RowTransform)? { nil }
    func policy(for change: SchemaChange) async throws(ReplicationError) -> StreamOptions.SchemaPolicy { .stop }
    func committed(_ commit: StreamCommit) async {}
}
