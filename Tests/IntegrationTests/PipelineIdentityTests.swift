import PostgresProtocol
import Scripting
import TestSupport
import Testing

extension ScriptTests {
    @Suite struct PipelineIdentity {
        /// Rows without a function, through one that returns them, and through one that reads and assigns every value.
        static let functions = [
            "none": "rh.copy",
            "same": "function(row) return row end",
            "every": """
            function(row)
              local whole = row:totable()
              for name, value in pairs(row) do row[name] = value end
              for name in pairs(row) do row[name] = whole[name] end
              return row
            end
            """,
        ]

        private static let tablesCutByKey = """
            SELECT count(*) FROM (SELECT FROM replhost.chunk WHERE cut = 'key' GROUP BY source HAVING count(*) > 1) cut
            """

        @Test(arguments: [1, 2]) func everyWayGivesWhatTheSourceHas(seed: UInt64) async throws {
            let source = try IdentityDatabase(seed: seed, tables: 20, special: seed == 1)
            let server = source.server
            let targets = try Self.functions.map { (name: $0, function: $1, conninfo: try server.makeDatabase()) }
            let pipelines = targets.map { name, function, conninfo in
                """
                rh.pipeline "\(name)" { source = rh.pool { dsn = "\(source.conninfo)" }, sink = rh.pool { dsn = "\(conninfo)" }, stream = false,
                  tables = { ["*.*"] = \(function) }, snapshot = { workers = 2, chunk_rows = 100 } }
                """
            }
            let file = try PipelineFile("return { \(pipelines.joined(separator: ",\n")) }")
            let expected = try IdentityDatabase.fingerprint(of: source.conninfo, server)

            _ = try await file.copy().value()
            let verified = try await file.perform { await $0.verify(repair: false, table: nil) }.value()

            for target in targets {
                let found = try IdentityDatabase.fingerprint(of: target.conninfo, server)
                let different = zip(expected, found).filter { $0 != $1 }.map { "\($0) became \($1)" }
                #expect(different.isEmpty, "seed \(seed), \(target.name)")
                #expect(found.count == expected.count, "seed \(seed), \(target.name)")
                let cut = try server.run(Self.tablesCutByKey, in: target.conninfo)
                #expect(Int(cut) ?? 0 >= 14, "seed \(seed), \(target.name): \(cut)")
            }
            for report in verified where !report.isEqual {
                Issue.record("seed \(seed), \(report.pipeline): \(report.target): \(report.differences)")
            }
        }
    }
}
