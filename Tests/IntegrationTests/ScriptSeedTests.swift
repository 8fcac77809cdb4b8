import Sandbox
import Scripting
import TestSupport
import Testing

extension ScriptTests {
    /// The program that the project began with.
    @Suite struct Seed {
        @Test func theSeedsProgramRunsAsItStands() async throws {
            let server = try await ScriptRun.server()
            let script = """
                local rh = require "replhost"
                local pool = rh.pool { minconn = 1, maxconn = 10, host = "\(server.cluster.socketDirectory)", port = \(server.port),
                                       database = "postgres", user = "postgres", password = "secret" }
                local setup = pool:getconn()
                setup:query("CREATE TABLE IF NOT EXISTS your_table AS SELECT 1 AS id, 'Ann' AS name UNION SELECT 2, 'Bob'")
                pool:putconn(setup)

                local lines = {}
                local function print(...) lines[#lines + 1] = table.concat({ ... }, "\\t") end
                local conn = pool:getconn()
                local result = conn:query("SELECT * FROM your_table")
                for _, row in ipairs(result) do print(row.id, row.name) end
                pool:putconn(conn)
                assert(table.concat(lines, ",") == "1\\tAnn,2\\tBob", table.concat(lines, ","))
                """
            let outcome = try await ScriptRun.outcome(of: script)

            #expect(ScriptRun.describe(outcome) == "finished")
        }
    }
}
