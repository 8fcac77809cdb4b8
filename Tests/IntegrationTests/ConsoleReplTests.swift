import TestSupport
import Testing

/// `replhost repl` with its input from a file: no prompt, and the first failure is the end.
@Suite struct ConsoleReplTests {
    private func run(_ input: String) async throws -> ConsoleProcess.Output {
        try await ConsoleProcess.run("repl", try TestServer.shared().conninfo(), input: input)
    }

    @Test func takesLuaAndSQL() async throws {
        let result = try await run(
            """
            x = 6
            x * 7
            for i = 1, 2 do
              print(i)
            end
            select 1 as a,
              'Ann' as name;
            begin;
            create temp table t (id int);
            insert into t values (1), (2);
            commit;
            table t;
            return #conn:query("select * from t")
            """)

        #expect(result.output == "42\n1\n2\na\tname\n1\tAnn\nid\n1\n2\n2\n")
        #expect(result.status == 0)
    }

    @Test func runsALastStatementWithoutItsSemicolon() async throws {
        #expect(try await run("select 1 as a").output == "a\n1\n")
    }

    @Test func endsWithTheFirstFailure() async throws {
        let sql = try await run("select nothing;\nprint('not reached')\n")
        let lua = try await run("error('no')\nprint('not reached')\n")
        let incomplete = try await run("for i = 1, 2 do\n")

        #expect(sql.status == 1)
        #expect(
            sql.errors.hasSuffix(
                """
                error[RH2201]: column "nothing" does not exist (SQLSTATE 42703)
                  LINE 1: select nothing
                                 ^

                """))
        #expect(lua.status == 1 && lua.output == "")
        #expect(lua.errors.hasPrefix("error: no\n  --> stdin:1"))
        #expect(incomplete.errors == "error: the input ends in the middle of a statement\n")
        #expect(incomplete.status == 1)
    }
}
