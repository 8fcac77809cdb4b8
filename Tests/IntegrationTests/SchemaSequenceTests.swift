import Postgres
import PostgresProtocol
import Replication
import TestSupport
import Testing

@Suite(.onServer)
struct SchemaSequenceTests {
    private static let tables = [
        "CREATE SEQUENCE numbers INCREMENT BY -1",
        "CREATE TABLE t (id serial, nr int GENERATED ALWAYS AS IDENTITY, n int DEFAULT nextval('numbers'))",
        "CREATE TABLE fresh (id bigserial)",
        "INSERT INTO t SELECT FROM generate_series(1, 40)",
    ]
    private static let positions =
        "SELECT concat_ws(',', (SELECT last_value FROM t_id_seq), (SELECT last_value FROM t_nr_seq), "
        + "(SELECT last_value FROM numbers), (SELECT last_value || is_called::text FROM fresh_id_seq))"

    @Test func setsWhatTheSourceHas() async throws {
        let harness = try SchemaHarness(Self.tables)
        let counts = try await harness.connected { source, target in
            let requests = try await schemaRequests(source)
            let plan = try await SchemaPlanner.plan(requests, source: source, target: target)
            try await make(plan.steps, in: target)
            let first = try await SequenceCopier.copy(requests, made: plan.creates, source: source, target: target)
            let second = try await SequenceCopier.copy(requests, made: plan.creates, source: source, target: target)
            return [first, second]
        }

        #expect(counts == [3, 0])
        #expect(try harness.server.run(Self.positions, in: harness.target) == "40,40,-40,1false")
    }

    @Test func neverSetsAUsersSequenceBack() async throws {
        let harness = try SchemaHarness(Self.tables)
        try harness.server.run(Self.tables[0...2].joined(separator: ";"), in: harness.target)
        try harness.server.run(
            "SELECT setval('t_id_seq', 90), setval('t_nr_seq', 20), setval('numbers', -90)", in: harness.target)
        let count = try await harness.connected { source, target in
            let requests = try await schemaRequests(source)
            return try await SequenceCopier.copy(requests, source: source, target: target)
        }

        #expect(count == 1)
        #expect(try harness.server.run(Self.positions, in: harness.target) == "90,40,-90,1false")
    }
}
