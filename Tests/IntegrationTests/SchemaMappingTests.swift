import Postgres
import PostgresProtocol
import Replication
import TestSupport
import Testing

/// Targets that are not what the source is: renamed, narrowed, retyped, in part the user's own.
@Suite(.onServer)
struct SchemaMappingTests {
    private static let shop = [
        "CREATE TYPE state AS ENUM ('new', 'done')",
        """
        CREATE TABLE customers (id serial PRIMARY KEY, email text NOT NULL UNIQUE, secret text CHECK (secret <> ''),
            a int DEFAULT 1, b int DEFAULT 2, sum int GENERATED ALWAYS AS (a * 10 + b) STORED, CHECK (a < 1000 + b))
        """,
        """
        CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int REFERENCES customers,
            state state DEFAULT 'new', note text)
        """,
        "CREATE INDEX customers_ab ON customers (a, b DESC) INCLUDE (email)",
        "CREATE INDEX customers_lower ON customers (lower(email))",
        "CREATE INDEX customers_secret ON customers (secret)",
        "CREATE INDEX orders_state ON orders (state)",
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
        "CREATE TRIGGER touched BEFORE UPDATE OF a, b ON customers FOR EACH ROW EXECUTE FUNCTION touch()",
    ]

    @Test func renamesTablesAndColumns() async throws {
        let harness = try SchemaHarness(Self.shop)
        let plan = try await harness.connected { source, target in
            var requests = try await schemaRequests(source)
            requests[0].target = QualifiedName(schema: "New \"Shop\"", name: "People\nhere")
            requests[0].columns = [
                ("id", "Id"), ("email", "e\"mail"), ("secret", "secret"), ("a", "b"), ("b", "a"), ("sum", "sum"),
            ].map { ColumnMapping(source: $0.0, target: $0.1) }
            let plan = try await SchemaPlanner.plan(requests, largeIndex: 0, source: source, target: target)
            try await make(plan.steps, in: target)
            try await target.execute(
                "INSERT INTO \"New \"\"Shop\"\"\".\"People\nhere\" (\"e\"\"mail\", b) VALUES ('x', 7)")
            let again = try await SchemaPlanner.plan(
                requests, made: plan.creates, largeIndex: 0, source: source, target: target)

            #expect(again.steps.map(\.sql) == [])
            return plan
        }

        let dump = try harness.dump(harness.target).joined(separator: "\n")
        let row = try harness.server.run("SELECT * FROM \"New \"\"Shop\"\"\".\"People\nhere\"", in: harness.target)
        #expect(row == "1|x||7|2|72")
        #expect(dump.contains("sum integer GENERATED ALWAYS AS (((b * 10) + a)) STORED"))
        #expect(
            dump.contains(
                "CREATE INDEX customers_ab ON \"New \"\"Shop\"\"\".\"People\nhere\" "
                    + "USING btree (b, a DESC) INCLUDE (\"e\"\"mail\")"
            ))
        #expect(dump.contains("BEFORE UPDATE OF b, a ON \"New \"\"Shop\"\"\".\"People\nhere\""))
        #expect(dump.contains("FOREIGN KEY (customer) REFERENCES \"New \"\"Shop\"\"\".\"People\nhere\"(\"Id\")"))
        #expect(dump.contains("DEFAULT nextval('\"New \"\"Shop\"\"\".customers_id_seq'::regclass)"))
        #expect(plan.leftOut.count == 1)
        #expect(plan.leftOut.first?.contains("index \"customers_lower\" of public.customers") == true)
    }

    @Test func statisticsInASchemaOfTheirOwnBringIt() async throws {
        let harness = try SchemaHarness([
            "CREATE SCHEMA stats", "CREATE TABLE t (a int, b int)", "CREATE STATISTICS stats.ab ON a, b FROM t",
        ])
        try await harness.connected { source, target in
            let plan = try await SchemaPlanner.plan(try await schemaRequests(source), source: source, target: target)
            try await make(plan.steps, in: target)
        }

        let dump = try harness.dump(harness.target).joined(separator: "\n")
        #expect(dump.contains("CREATE STATISTICS stats.ab ON a, b FROM public.t"))
    }

    @Test func everyUseOfARenamedSequenceIsRenamed() async throws {
        let harness = try SchemaHarness([
            "CREATE TABLE t (id serial PRIMARY KEY)",
            "ALTER TABLE t ALTER id SET DEFAULT nextval('t_id_seq') + 0 * currval('t_id_seq')",
        ])
        try await harness.connected { source, target in
            var requests = try await schemaRequests(source)
            requests[0].target = QualifiedName(schema: "other", name: "t")
            let plan = try await SchemaPlanner.plan(requests, source: source, target: target)
            try await make(plan.steps, in: target)
            try await target.execute("INSERT INTO other.t DEFAULT VALUES")
        }

        #expect(try harness.server.run("SELECT id FROM other.t", in: harness.target) == "1")
    }

    @Test func leavesOutWhatNeedsAColumnThatIsNotCopied() async throws {
        let harness = try SchemaHarness(Self.shop)
        let plan = try await harness.connected { source, target in
            var requests = try await schemaRequests(source)
            requests[0].columns = ["email", "a"].map { ColumnMapping(source: $0, target: $0) }
            let plan = try await SchemaPlanner.plan(requests, source: source, target: target)
            try await make(plan.steps, in: target)
            return plan
        }

        let columns =
            "SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attnum > 0 AND attrelid = "
        let indexes = "SELECT string_agg(indexrelid::regclass::text, ',' ORDER BY 1) FROM pg_index WHERE indrelid = "
        #expect(try harness.server.run(columns + "'customers'::regclass", in: harness.target) == "email,a")
        #expect(
            try harness.server.run(indexes + "'customers'::regclass", in: harness.target)
                == "customers_email_key,customers_lower")
        #expect(
            plan.leftOut.sorted() == [
                "constraint \"customers_check\" of public.customers: it uses column \"b\", which is not copied",
                "constraint \"customers_pkey\" of public.customers: it uses column \"id\", which is not copied",
                "constraint \"customers_secret_check\" of public.customers: it uses column \"secret\", "
                    + "which is not copied",
                "foreign key \"orders_customer_fkey\" of public.orders: in public.customers, it uses column \"id\", "
                    + "which is not copied",
                "index \"customers_ab\" of public.customers: it uses column \"b\", which is not copied",
                "index \"customers_secret\" of public.customers: it uses column \"secret\", which is not copied",
                "trigger \"touched\" of public.customers: it uses column \"b\", which is not copied",
            ])
    }

    @Test func overridesTypesAndAddsColumns() async throws {
        let harness = try SchemaHarness(Self.shop)
        let plan = try await harness.connected { source, target in
            var requests = try await schemaRequests(source)
            requests[0].types = ["id": "bigint", "email": "varchar(80)", "loaded": "timestamptz DEFAULT now()"]
            requests[1].types = ["id": "bigint", "state": "text", "customer": "bigint"]
            requests[0].types["loaded"] = "timestamptz"
            let plan = try await SchemaPlanner.plan(requests, largeIndex: 0, source: source, target: target)
            try await make(plan.steps, in: target)
            return plan
        }

        let types =
            "SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ',' ORDER BY attnum) "
            + "FROM pg_attribute WHERE attnum > 0 AND attrelid = "
        #expect(
            try harness.server.run(types + "'customers'::regclass", in: harness.target)
                == "id bigint,email character varying(80),secret text,a integer,b integer,sum integer,"
                + "loaded timestamp with time zone")
        #expect(
            try harness.server.run(types + "'orders'::regclass", in: harness.target)
                == "id bigint,customer bigint,state text,note text")
        #expect(plan.leftOut == ["default of column \"state\" of public.orders: its type becomes text"])
        #expect(!plan.steps.contains { $0.kind == .type })
    }

    @Test func givesSuffixesWhereNamesMeet() async throws {
        let tables = ["a", "b", "c"].map { schema in
            "CREATE SCHEMA \(schema); CREATE TABLE \(schema).t (id serial PRIMARY KEY, v text); "
                + "CREATE INDEX t_v ON \(schema).t (v); CREATE STATISTICS \(schema).s ON id, v FROM \(schema).t"
        }
        let harness = try SchemaHarness(tables)
        try harness.server.run("CREATE SCHEMA dw; CREATE TABLE dw.t_v (x int)", in: harness.target)
        try await harness.connected { source, target in
            var requests = try await schemaRequests(source, in: "a,b,c")
            for index in requests.indices { requests[index].target = QualifiedName(schema: "dw", name: "t\(index)") }
            let plan = try await SchemaPlanner.plan(requests, source: source, target: target)
            let half = plan.steps.count / 2
            try await make(plan.steps.prefix(half), in: target)
            let again = try await SchemaPlanner.plan(requests, made: plan.creates, source: source, target: target)
            try await make(again.steps, in: target)
            let last = try await SchemaPlanner.plan(requests, made: plan.creates, source: source, target: target)

            #expect(again.steps == Array(plan.steps.dropFirst(half)))
            #expect(last.steps == [])
        }

        let names =
            "SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class WHERE relnamespace = 'dw'::regnamespace"
        #expect(
            try harness.server.run(names, in: harness.target)
                == "t0,t1,t2,t_id_seq,t_id_seq_1,t_id_seq_2,t_pkey,t_pkey_1,t_pkey_2,t_v,t_v_1,t_v_2,t_v_3")
    }

    @Test func leavesTablesOfTheUserAlone() async throws {
        let harness = try SchemaHarness(Self.shop)
        try harness.server.run("CREATE TABLE customers (id int PRIMARY KEY, email text)", in: harness.target)
        let plan = try await harness.connected { source, target in
            let requests = try await schemaRequests(source)
            let plan = try await SchemaPlanner.plan(requests, largeIndex: 0, source: source, target: target)
            try await make(plan.steps, in: target)
            return plan
        }

        #expect(plan.creates == [QualifiedName(schema: "public", name: "orders")])
        #expect(plan.steps.filter { $0.table?.name == "customers" } == [])
        #expect(plan.steps.contains { $0.kind == .foreignKey })
    }

    @Test func putsPartitionsBesideTheirRenamedTable() async throws {
        let harness = try SchemaHarness([
            "CREATE TABLE m (id int, day date, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)",
            "CREATE TABLE m_1 PARTITION OF m FOR VALUES FROM ('2024-01-01') TO ('2024-02-01') PARTITION BY HASH (id)",
            "CREATE TABLE dw_m PARTITION OF m_1 FOR VALUES WITH (modulus 1, remainder 0)",
            "CREATE INDEX m_v ON m (v)", "CREATE INDEX m_only ON dw_m (v, id)",
        ])
        try await harness.connected { source, target in
            var requests = try await schemaRequests(source)
            requests[0].target = QualifiedName(schema: "dw", name: "dw_m")
            requests[0].columns = [("id", "nr"), ("day", "day"), ("v", "v")].map {
                ColumnMapping(source: $0.0, target: $0.1)
            }
            requests[0].types = ["extra": "int"]
            requests[0].keepsKeyFirst = true
            let plan = try await SchemaPlanner.plan(requests, largeIndex: 0, source: source, target: target)
            try await make(plan.preData, in: target)
            try await target.execute(
                "INSERT INTO dw.dw_m VALUES (1, '2024-01-05', 'x') ON CONFLICT (nr, day) DO NOTHING")
            try await make(plan.postData.joined(), in: target)
            let again = try await SchemaPlanner.plan(
                requests, made: plan.creates, largeIndex: 0, source: source, target: target)

            #expect(plan.preData.last?.kind == .constraint)
            #expect(again.steps == [])
        }

        let names =
            "SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class WHERE relkind IN ('r', 'p') AND "
            + "relnamespace = 'dw'::regnamespace"
        #expect(try harness.server.run(names, in: harness.target) == "dw_m,dw_m_1,m_1")
        #expect(try harness.server.run("SELECT tableoid::regclass FROM dw.dw_m", in: harness.target) == "dw.dw_m_1")
    }

    @Test func makesAnInvalidIndexAgain() async throws {
        let harness = try SchemaHarness(Self.shop)
        try await harness.connected { source, target in
            let requests = try await schemaRequests(source)
            let plan = try await SchemaPlanner.plan(requests, source: source, target: target)
            try await make(plan.steps, in: target)
            try await target.execute(
                "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'customers_ab'::regclass")
            let again = try await SchemaPlanner.plan(requests, made: plan.creates, source: source, target: target)
            try await make(again.steps, in: target)
            let last = try await SchemaPlanner.plan(requests, made: plan.creates, source: source, target: target)

            #expect(again.steps.map(\.name.name) == ["customers_ab"])
            #expect(last.steps == [])
        }
    }

    @Test func makesOneTargetOfSeveralTables() async throws {
        let tables = ["a", "b"].map { "CREATE SCHEMA \($0); CREATE TABLE \($0).t (id serial PRIMARY KEY)" }
        let harness = try SchemaHarness(tables)
        let plan = try await harness.connected { source, target in
            var requests = try await schemaRequests(source, in: "a,b")
            for index in requests.indices { requests[index].target = QualifiedName(schema: "dw", name: "t") }
            let plan = try await SchemaPlanner.plan(requests, source: source, target: target)
            try await make(plan.steps, in: target)
            return plan
        }

        #expect(plan.steps.map(\.kind) == [.schema, .table, .constraint, .analyze])
    }

    @Test func ordersTablesByWhatTheyNeed() async throws {
        let harness = try SchemaHarness([
            "CREATE TABLE z_row (id int, v text)",
            "CREATE FUNCTION pick(r z_row) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT r.id'",
            "CREATE TABLE b_uses (r z_row, rs z_row[], CHECK (pick(r) > 0))",
            "CREATE TABLE y_owner (id serial)",
            "CREATE TABLE a_uses (id int DEFAULT nextval('y_owner_id_seq'::regclass))",
        ])
        let plan = try await harness.connected { source, target in
            let plan = try await SchemaPlanner.plan(try await schemaRequests(source), source: source, target: target)
            try await make(plan.steps, in: target)
            return plan
        }

        let names = plan.preData.map(\.name.name)
        #expect(names.sorted() == ["a_uses", "b_uses", "pick", "y_owner", "z_row"])
        #expect(names.firstIndex(of: "y_owner") ?? 9 < names.firstIndex(of: "a_uses") ?? 0)
        #expect(try harness.dump(harness.source) == harness.dump(harness.target))
    }

    @Test func runsAStagesStepsAtTheSameTime() async throws {
        let harness = try SchemaHarness(SchemaShapes.rich)
        let (server, target) = (harness.server, harness.target)
        let plan = try await harness.connected { source, target in
            let requests = try await schemaRequests(source, in: SchemaShapes.schemas)
            let plan = try await SchemaPlanner.plan(requests, source: source, target: target)
            try await make(plan.preData, in: target)
            return plan
        }
        for stage in plan.postData {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for part in 0..<4 {
                    group.addTask {
                        let steps = stage.enumerated().filter { $0.offset % 4 == part }.map(\.element)
                        try await withConnection(target) { connection in try await make(steps, in: connection) }
                    }
                }
                try await group.waitForAll()
            }
        }

        let count = try server.run("SELECT count(*) FROM pg_index WHERE indrelid >= 16384", in: target)
        #expect(count == (try server.run("SELECT count(*) FROM pg_index WHERE indrelid >= 16384", in: harness.source)))
    }

    @Test func plansInsideATransactionOfTheCaller() async throws {
        let harness = try SchemaHarness(Self.shop)
        let path = try await harness.connected { source, target in
            let requests = try await schemaRequests(source)
            try await source.beginTransaction()
            _ = try await SchemaPlanner.plan(requests, source: source, target: target)
            let result = try await source.query("SHOW search_path")
            try await source.commit()
            return result.text()
        }

        #expect(path == "\"$user\", public")
    }

    @Test func plansManyTablesQuickly() async throws {
        let tables = (0..<300).map { number in
            "CREATE TABLE t\(number) (id serial PRIMARY KEY, a int REFERENCES t0, b text DEFAULT 'x' CHECK (b <> ''), "
                + "c timestamptz DEFAULT now(), d numeric); CREATE INDEX ON t\(number) (a); "
                + "CREATE INDEX ON t\(number) (c)"
        }
        let harness = try SchemaHarness(tables)
        try await harness.connected { source, target in
            let requests = try await schemaRequests(source)
            let begin = ContinuousClock.now
            let plan = try await SchemaPlanner.plan(requests, source: source, target: target)
            let took = ContinuousClock.now - begin

            #expect(plan.preData.count == 300)
            #expect(took < .seconds(20))
        }
    }

    @Test func makesATableOf1600Columns() async throws {
        let columns = (0..<1600).map { "c\($0) boolean" }.joined(separator: ", ")
        let harness = try SchemaHarness(["CREATE TABLE wide (\(columns))"])
        try await harness.connected { source, target in
            let plan = try await SchemaPlanner.plan(
                try await schemaRequests(source), source: source, target: target)
            try await make(plan.steps, in: target)
        }

        let count = "SELECT count(*) FROM pg_attribute WHERE attnum > 0 AND attrelid = 'wide'::regclass"
        #expect(try harness.server.run(count, in: harness.target) == "1600")
    }
}
