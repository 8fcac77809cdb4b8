import Scripting
import TestSupport
import Testing

@Suite(.onServer) struct PipelineRunTests {
    private let schema = """
        create table customers (id bigint primary key, email text, country text);
        create table orders (id bigint primary key, customer bigint, total numeric(12,2))
        """

    @Test func copiesThroughFunctions() async throws {
        let file = try PipelineFile(
            """
            local function customers(row, event)
              row.email = rh.mask.email(row.email)
              if row.country == "ZZ" then return rh.drop end
              return row
            end
            return rh.pipeline "shop" {
              source = source, sink = sink, stream = false,
              tables = { ["public.customers"] = customers, ["public.*"] = rh.copy },
              snapshot = { workers = 2, chunk_rows = 300 },
            }
            """)
        try file.run(
            onSource: schema,
            "insert into customers select i, 'ann' || i || '@mail.org', case when i % 10 = 0 then 'ZZ' else 'DE' end from generate_series(1, 1000) i",
            "insert into orders select i, i, i / 7.0 from generate_series(1, 1000) i", "analyze")
        try file.run(onTarget: schema)

        let result = try #require(try await file.copy().value().first)

        #expect(result.read == 2000)
        #expect(result.dropped == 100)
        #expect(result.written == 1900)
        let left = try file.server.run(
            "select count(*), count(*) filter (where email like 'ann%') from customers", in: file.target)
        #expect(left == "900|0")
        let verified = try await file.perform { await $0.verify(repair: false, table: nil) }.value()
        #expect(verified.filter { !$0.isEqual }.isEmpty)
        #expect(verified.map(\.rows).reduce(0, +) == 1900)
    }

    @Test func anotherTargetNameIsAnotherCopy() async throws {
        func text(_ name: String) -> String {
            "return rh.pipeline 'p' { source = source, sink = sink, stream = false, tables = { ['public.orders'] = { to = '\(name)' } } }"
        }
        let file = try PipelineFile(text("first"))
        try file.run(onSource: schema, "insert into orders select i, i, i from generate_series(1, 10) i")
        _ = try await file.copy().value()
        try file.write(text("second"))

        let refused = try await file.copy().failure
        #expect(refused?.code == "RH3404")
        let again = try await file.perform { await $0.resnapshot("public.orders") }.value()
        #expect(again.first?.written == 10)
        #expect(
            try file.server.run("select (select count(*) from first), (select count(*) from second)", in: file.target)
                == "10|10")
    }
}
