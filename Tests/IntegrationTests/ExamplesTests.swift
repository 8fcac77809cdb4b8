import Foundation
import TestSupport
import Testing

/// The pipelines of `scripts/examples`, as their readers run them.
@Suite(.onServer) struct ExamplesTests {
    private static let directory = Repository.path + "/scripts/examples"

    private let server: TestServer
    private let source: String
    private let target: String

    init() async throws {
        server = try TestServer.shared()
        source = try server.makeDatabase()
        target = try server.makeDatabase()
        try await run("shop_data.lua", "200")
    }

    private func run(_ arguments: String..., more: [String: String] = [:]) async throws {
        let path = "\(Self.directory)/\(arguments[0])"
        let process = try ConsoleProcess(
            ["run", "--once", path] + arguments.dropFirst(),
            environment: ["SOURCE_URL": source, "TARGET_URL": target].merging(more) { _, new in new })
        let result = try await process.finished()
        try #require(result.status == 0, "\(result.errors)")
    }

    @Test func passTheirOwnTests() async throws {
        let result = try await ConsoleProcess.run("test", Self.directory, environment: ["SOURCE_URL": source])

        #expect(result.status == 0, "\(result.output)")
        #expect(result.output.hasSuffix(" passed, 0 failed\n"))
        #expect(result.output.contains("an order has the city of its customer"))
    }

    @Test func twoShopsBecomeOne() async throws {
        let other = try server.makeDatabase()
        try server.run(
            """
            create schema shop;
            create table shop.customers (id bigint primary key, email text, name text, created_at timestamptz);
            insert into shop.customers select i, 'b', 'B', now() from generate_series(101, 400) i
            """, in: other)

        try await run("merge.lua", more: ["SHOP_A": source, "SHOP_B": other])

        let counts = "select shop, count(*), min(id), max(id) from merged.customers group by 1 order by 1"
        #expect(try server.run(counts, in: target) == "a|200|1|200\nb|300|101|400")
    }

    @Test func ordersGetTheirCities() async throws {
        try await run("enrichment.lua")

        let found = "select count(*), count(*) filter (where city = 'Łódź') from reports.orders"
        #expect(try server.run(found, in: target) == "400|400")
    }

    @Test func couponsBecomeRows() async throws {
        try await run("fan_out.lua")

        let counts = "select (select count(*) from split.orders), (select count(*) from split.coupons)"
        #expect(try server.run(counts, in: target) == "400|200")
    }
}

/// README's first command, with a small shop.
@Suite struct DemoTests {
    @Test func showsACopyAndWhatFollows() async throws {
        let state = try TestWorkspace.shared().makeDirectory("demo")

        let demo = try ConsoleProcess(
            ["1200"], of: Repository.path + "/scripts/demo",
            environment: ["REPLHOST": ConsoleProcess.executable, "XDG_STATE_HOME": state])
        let result = try await demo.finished(within: .seconds(120))

        #expect(result.status == 0, "\(result)")
        #expect(result.output.contains("3 tables: no differences"))
        #expect(result.output.contains("2400 find their customers by masked e-mail"))
        #expect(result.errors.contains("3000 changes in 1 transaction applied"))
    }
}

private enum Repository {
    static let path = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
}
