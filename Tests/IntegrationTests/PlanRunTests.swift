import EventLoops
import Postgres
import PostgresProtocol
import Replication
import TestSupport
import Testing

@Suite(.onServer) struct PlanRunTests {
    private let server: TestServer
    private let source: FaultProxy
    private let target: FaultProxy

    init() throws {
        server = try TestServer.shared()
        source = try FaultProxy(to: server.endpoint)
        target = try FaultProxy(to: server.endpoint)
    }

    /// A pool whose connections go through the proxy.
    private func pool(_ proxy: FaultProxy, _ conninfo: String) throws -> ConnectionPool {
        let name = try server.run("select current_database()", in: conninfo)
        return try ConnectionPool(
            PoolSettings(), hooks: PoolHooks(try ConnectionSettings(proxy.conninfo(database: name))))
    }

    private func plan(_ sourceInfo: String, _ targetInfo: String) async throws -> PlanRun.Plan {
        let worker = PlainWorker(try pool(source, sourceInfo), try pool(target, targetInfo))
        defer { worker.actor.loop.stop() }
        let pattern = try #require(TablePattern("public.*"))
        let definition = PipelineDefinition(
            name: "test", rules: [TableRule(pattern, .copy(TableOptions()))], scriptHash: "x")
        let outcome = await worker.actor.run { _ in
            do throws(ReplicationError) {
                return Result<PlanRun.Plan, ReplicationError>.success(
                    try await PlanRun(definition, worker, workers: 2).run())
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    @Test func manyTablesTakeNoMoreQuestionsThanFew() async throws {
        let (from, to) = (try server.makeDatabase(), try server.makeDatabase())
        try server.run(
            """
            do $$ begin
              for i in 1..2000 loop
                execute format('create table t%s (id int primary key, v int)', i);
                if i % 100 = 0 then commit; end if;
              end loop;
            end $$
            """, in: from)

        let plan = try await plan(from, to)

        #expect(plan.tables.count == 2000)
        #expect(plan.targetSQL.count > 4000)
        #expect((1...60).contains(source.counts.roundTrips), "\(source.counts)")
        #expect((1...60).contains(target.counts.roundTrips), "\(target.counts)")
    }
}
