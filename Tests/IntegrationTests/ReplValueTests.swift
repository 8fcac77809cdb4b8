import TestSupport
import Testing

/// What the prompt shows of values and results, off a terminal.
@Suite(.onServer) struct ReplValueTests {
    private func run(_ input: String, _ options: String...) async throws -> ConsoleProcess.Output {
        let dsn = try TestServer.shared().conninfo()
        let file = try ConsoleProcess.makeFile("input", input)
        return try await ConsoleProcess(["repl", dsn] + options, input: file).finished()
    }

    @Test func showsLuaValuesWithSortedKeysAndCycles() async throws {
        let result = try await run(
            """
            t = { 3, 1, b = true, a = "x\\ny", ["odd key"] = { 1.5 }, [-1] = 0 }
            t
            t.me = t
            t.me
            { { id = 1, name = "a name that is rather long" }, { id = 2, name = "another name that is longer" } }
            6 * 7;
            _
            "text", nil, 2
            deep = {} for i = 1, 20 do deep = { deep } end
            deep
            conn:query("select 1 as a, 'x' as b")[1]
            setmetatable({}, { __tostring = function() return "mine" end })
            """)

        #expect(
            result.output == """
                { 3, 1, [-1] = 0, a = "x\\ny", b = true, ["odd key"] = { 1.5 } }
                { 3, 1, [-1] = 0, a = "x\\ny", b = true, me = <cycle>, ["odd key"] = { 1.5 } }
                {
                  { id = 1, name = "a name that is rather long" },
                  { id = 2, name = "another name that is longer" }
                }
                42
                text
                nil
                2
                { { { { { { { { {...} } } } } } } } }
                { a = 1, b = "x" }
                mine

                """, "\(result)")
    }

    @Test func writesNullApartFromEmptyText() async throws {
        let sql =
            "select '' as e, null as n, E'a\\tb\\\\' as t, 'x,\"y\"' as q, 1.50::numeric as d, 'NaN'::float8 as f;"

        #expect(try await run(sql).output == "e\tn\tt\tq\td\tf\n\t\\N\ta\\tb\\\\\tx,\"y\"\t1.50\tNaN\n")
        #expect(
            try await run(sql, "--csv").output == "e,n,t,q,d,f\n\"\",,a\tb\\,\"x,\"\"y\"\"\",1.50,NaN\n")
        #expect(
            try await run(sql, "--json").output
                == #"{"e": "", "n": null, "t": "a\tb\\", "q": "x,\"y\"", "d": 1.50, "f": "NaN"}"# + "\n")
    }

    /// CSV comes from the server for queries, from here for all else: the form is the same.
    @Test func writesCSVInOneForm() async throws {
        let rows = "values ('', null, 'a,b', E'x\\ny', '\\.')"
        let query = try await run("select * from (\(rows)) as v;", "--csv")
        let other = try await run("with v as (\(rows)) select * from v for share;", "--csv")
        let alone = try await run("select '\\.' as c;", "--csv")
        let aloneToo = try await run("select '\\.' as c for share;", "--csv")

        #expect(query.output == "column1,column2,column3,column4,column5\n\"\",,\"a,b\",\"x\ny\",\\.\n")
        #expect(other.output == query.output, "\(other)")
        #expect(alone.output == aloneToo.output)
    }

    @Test func tellsErrorsOfQueriesInTheirOwnTerms() async throws {
        let result = try await run("select 1 as a,\n  nothing as b;\n", "--csv")

        #expect(result.status == 1)
        #expect(result.output == "")
        #expect(result.errors.contains("LINE 2:   nothing as b\n            ^"), "\(result)")
    }

    @Test func runsStatementsFromItsArguments() async throws {
        let dsn = try TestServer.shared().conninfo()
        let result = try await ConsoleProcess.run(
            "repl", dsn, "--json", "-e", "x = 5\nselect 1 as a; select 2 as a;\nreturn { x }")
        let wrong = try await ConsoleProcess.run("repl", dsn, "--json", "--csv")

        #expect(result == .init(status: 0, output: "{\"a\": 1}\n{\"a\": 2}\n[5]\n", errors: ""))
        #expect(wrong.status == 2)
    }

    @Test func takesQueriesInParenthesesAndCopy() async throws {
        let result = try await run(
            "(select 1 as n)\nunion all (select 2);\ncopy (select 'a', 1) to stdout;\n\\q\nprint(1)")

        #expect(result.output == "n\n1\n2\na\t1\n")
        #expect(result.status == 0)
    }

    @Test func saysThatAnOpenTransactionIsLost() async throws {
        let result = try await run("begin;\ncreate table never (id int);\n")

        #expect(result.errors == "warning: the input has ended, and the open transaction is rolled back\n")
    }

    @Test func aFilesPipelinesAndPoolsAreThere() async throws {
        let dsn = try TestServer.shared().conninfo()
        let path = try ConsoleProcess.makeFile(
            "shop.lua",
            """
            local rh = require "replhost"
            local pool = rh.pool { dsn = "\(dsn)" }
            return rh.pipeline "shop" { source = pool, sink = rh.pool { dsn = "\(dsn)", max = 2 },
              tables = { ["public.*"] = rh.copy } }
            """)
        let result = try await ConsoleProcess.run(
            "repl", path, input: "select 1 as a;\nshop.name\n#pipelines.shop.rules\nsink:query('select 2'):scalar()\n")

        #expect(result == .init(status: 0, output: "a\n1\nshop\n1\n2\n", errors: ""))
    }
}
