import PostgresProtocol
import Scripting
import TestSupport
import Testing

extension ScriptTests {
    /// What options change, and nothing else.
    @Suite struct PipelineIdentityOption {
        private let people = """
            CREATE SCHEMA "Old Schema"; CREATE TYPE "Old Schema".mood AS ENUM ('sad', 'glad');
            CREATE TABLE "Old Schema"."People" (id bigint PRIMARY KEY, "Full Name" text, mood "Old Schema".mood, born date, note text,
              amount numeric DEFAULT 5);
            INSERT INTO "Old Schema"."People" SELECT i, 'name ' || i, (ARRAY['sad', 'glad', NULL])[1 + i % 3]::"Old Schema".mood,
              date '1970-01-01' + i, repeat('n', i % 70), nullif(i % 9, 0) FROM generate_series(1, 2000) i; ANALYZE
            """

        private func run(_ options: String, expecting sql: String, in query: String) async throws {
            let file = try PipelineFile(
                """
                return rh.pipeline "options" { source = source, sink = sink, stream = false, snapshot = { workers = 2, chunk_rows = 300 },
                  tables = { ['"Old Schema"."People"'] = \(options) } }
                """)
            try file.run(onSource: people)

            _ = try await file.copy().value()
            let verified = try await file.perform { await $0.verify(repair: false, table: nil) }.value()

            let sum = { (query: String) in
                "SELECT count(*), md5(string_agg(q::text, ',' ORDER BY q::text)) FROM (\(query)) q"
            }
            let wanted = try file.server.run(sum(sql), in: file.source)
            #expect(try file.server.run(sum(query), in: file.target) == wanted)
            #expect(!wanted.hasPrefix("0|"))
            #expect(verified.filter { !$0.isEqual }.isEmpty, "\(verified)")
        }

        @Test func toRenamesSchemaAndTable() async throws {
            try await run(
                #"{ to = '"New ""Schema""".people' }"#, expecting: #"SELECT * FROM "Old Schema"."People""#,
                in: #"SELECT * FROM "New ""Schema""".people"#)
        }

        @Test func columnsAreChosen() async throws {
            try await run(
                #"{ columns = { "id", "Full Name", "mood" } }"#,
                expecting: #"SELECT id, "Full Name", mood FROM "Old Schema"."People""#,
                in: #"SELECT * FROM "Old Schema"."People""#)
        }

        @Test func columnsAreChosenWithoutTheKey() async throws {
            try await run(
                #"{ columns = { "Full Name", "amount" } }"#,
                expecting: #"SELECT "Full Name", amount FROM "Old Schema"."People""#,
                in: #"SELECT * FROM "Old Schema"."People""#)
        }

        @Test func columnsAreRenamed() async throws {
            try await run(
                #"{ to = "public.people", columns = { id = "number", ["Full Name"] = "name \"x\"", note = "note" }, transform = function(row) row['name "x"'] = row['name "x"'] return row end }"#,
                expecting: #"SELECT id, "Full Name", note FROM "Old Schema"."People""#, in: "SELECT * FROM people")
        }

        @Test func whereIsForTheSource() async throws {
            try await run(
                #"{ to = "public.people", where = "\"Full Name\" LIKE '%7' OR mood IS NULL -- and no more" }"#,
                expecting: #"SELECT * FROM "Old Schema"."People" WHERE "Full Name" LIKE '%7' OR mood IS NULL"#,
                in: "SELECT * FROM people")
        }

        @Test func aColumnIsAddedAndSet() async throws {
            try await run(
                """
                { to = "public.people", types = { initial = "varchar(1)", parts = "text[]" }, transform = function(row)
                    row.initial = row["Full Name"]:sub(-1); row.parts = { row["Full Name"], rh.null, n = 2 }; return row end }
                """,
                expecting: """
                    SELECT *, right("Full Name", 1), ARRAY["Full Name", NULL] FROM "Old Schema"."People"
                    """,
                in: "SELECT id, \"Full Name\", mood, born, note, amount, initial, parts FROM people")
        }

        @Test func typesOfTheKeyAndOthersChange() async throws {
            try await run(
                #"{ to = "public.people", types = { id = "text", born = "timestamp", amount = "float8" } }"#,
                expecting:
                    #"SELECT id::text, "Full Name", mood, born::timestamp, note, amount::float8 FROM "Old Schema"."People""#,
                in: "SELECT * FROM people")
        }

        @Test func typesChangeBehindAFunction() async throws {
            try await run(
                #"{ to = "public.people", types = { id = "numeric", born = "text", mood = "varchar(4)" }, transform = function(row) return row end }"#,
                expecting:
                    #"SELECT id::numeric, "Full Name", mood::text, born::text, note, amount FROM "Old Schema"."People""#,
                in: "SELECT * FROM people")
        }
    }
}
