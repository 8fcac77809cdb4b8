import Postgres
import PostgresProtocol
import Replication
import TestSupport
import Testing

@Suite(.onServer)
struct SchemaPlannerTests {
    /// With indexes that count as large, and ones that do not.
    private static let sizes = [0, .max]

    @Test(arguments: sizes) func makesTheSameSchemaAsTheSource(largeIndex: Int) async throws {
        let harness = try SchemaHarness(SchemaShapes.rich)
        let leftOut = try await harness.connected { source, target in
            let requests = try await schemaRequests(source, in: SchemaShapes.schemas)
            let plan = try await SchemaPlanner.plan(
                requests, largeIndex: largeIndex, source: source, target: target)
            try await make(plan.steps, in: target)
            return plan.leftOut
        }

        let expected = try harness.dump(harness.source)
        let made = try harness.dump(harness.target)
        #expect(leftOut == [])
        #expect(made.sorted().difference(from: expected.sorted()).map { "\($0)" } == [])
    }

    @Test(arguments: sizes) func plansNothingForAFinishedTarget(largeIndex: Int) async throws {
        let harness = try SchemaHarness(SchemaShapes.rich)
        let again = try await harness.connected { source, target in
            let requests = try await schemaRequests(source, in: SchemaShapes.schemas)
            let plan = try await SchemaPlanner.plan(
                requests, largeIndex: largeIndex, source: source, target: target)
            try await make(plan.steps, in: target)
            return try await SchemaPlanner.plan(
                requests, made: plan.creates, largeIndex: largeIndex, source: source, target: target)
        }

        #expect(again.steps.map(\.sql) == [])
        #expect(again.creates == [])
    }

    @Test func anIndexThatIsThereIsTakenOverHoweverSmallItIs() async throws {
        let harness = try SchemaHarness(["CREATE TABLE t (id int PRIMARY KEY, n int UNIQUE DEFERRABLE)"])
        let rest = try await harness.connected { source, target in
            let requests = try await schemaRequests(source)
            let plan = try await SchemaPlanner.plan(requests, largeIndex: 0, source: source, target: target)
            try await make(plan.steps.prefix { $0.kind != .constraint }, in: target)
            return try await SchemaPlanner.plan(requests, made: plan.creates, source: source, target: target)
        }

        #expect(
            rest.steps.map(\.sql) == [
                #"ALTER TABLE "public"."t" ADD CONSTRAINT "t_pkey" PRIMARY KEY USING INDEX "t_pkey""#,
                #"ALTER TABLE "public"."t" ADD CONSTRAINT "t_n_key" UNIQUE USING INDEX "t_n_key" DEFERRABLE"#,
                #"ANALYZE "public"."t""#,
            ])
    }

    @Test(arguments: [1, 5], sizes) func plansWhatIsMissing(of parts: Int, largeIndex: Int) async throws {
        let harness = try SchemaHarness(SchemaShapes.rich)
        try await harness.connected { source, target in
            let requests = try await schemaRequests(source, in: SchemaShapes.schemas)
            let plan = try await SchemaPlanner.plan(
                requests, largeIndex: largeIndex, source: source, target: target)
            var rest = plan.steps
            while rest.count > 4 {
                let done = max(rest.count / (parts + 1), 1)
                try await make(rest.prefix(done), in: target)
                rest.removeFirst(done)
                let again = try await SchemaPlanner.plan(
                    requests, made: plan.creates, largeIndex: largeIndex, source: source, target: target)

                #expect(again.steps.map(\.sql) == rest.map(\.sql))
            }
        }
    }
}
