import PostgresProtocol
import Scripting
import TestSupport
import Testing

extension ScriptTests {
    @Suite struct PipelineIdentityVerify {
        /// A value of the target that was changed, and where it is to be found.
        private struct Change {
            let table: QualifiedName
            let key: [String?]
            let column: String
        }

        @Test func verifyFindsEveryChangedValueAndMendsIt() async throws {
            var generator = SeededGenerator()
            let source = try IdentityDatabase(seed: generator.seed, tables: 19, special: false)
            let server = source.server
            let target = try server.makeDatabase()
            let file = try PipelineFile(
                """
                return rh.pipeline "identity" { source = rh.pool { dsn = "\(source.conninfo)" }, sink = rh.pool { dsn = "\(target)" }, stream = false,
                  tables = { ["*.*"] = rh.copy }, snapshot = { workers = 2, chunk_rows = 100 } }
                """)
            _ = try await file.copy().value()
            let expected = try IdentityDatabase.fingerprint(of: source.conninfo, server)

            var changes: [Change] = []
            for table in source.tables where !table.key.isEmpty {
                if let change = try change(table, in: target, server, &generator) { changes.append(change) }
            }
            let found = try await file.perform { await $0.verify(repair: false, table: nil) }.value()
            _ = try await file.perform { await $0.verify(repair: true, table: nil) }.value()
            let after = try await file.perform { await $0.verify(repair: false, table: nil) }.value()

            for change in changes {
                let report = try #require(found.first { $0.target == change.table })
                let isNamed = report.differences.contains { difference in
                    difference.kind == .different && difference.key.map(\.value) == change.key
                        && difference.columns == [change.column]
                }
                #expect(isNamed, "seed \(generator.seed): \(change) among \(report.differences)")
            }
            #expect(
                found.map { $0.different + $0.missing + $0.extra }.reduce(0, +) == changes.count,
                "seed \(generator.seed)")
            #expect(after.filter { !$0.isEqual }.isEmpty, "seed \(generator.seed)")
            let mended = try IdentityDatabase.fingerprint(of: target, server)
            #expect(zip(expected, mended).filter { $0 != $1 }.isEmpty, "seed \(generator.seed)")
        }

        /// Gives a value of some row another value, or NULL.
        private func change(
            _ table: IdentityTable, in target: String, _ server: TestServer, _ generator: inout SeededGenerator
        ) throws -> Change? {
            guard let column = table.columns.randomElement(using: &generator) else { return nil }
            let (name, type) = (column.name.quoted, column.type)
            let other = "\(SQLText.quoteLiteral(type.values[0]))::text::\(type.name)"
            let keys = table.key.map { "coalesce(\($0.quoted)::text, 'NULL')" }.joined(separator: " || chr(1) || ")
            let order = table.key.map(\.quoted).joined(separator: ", ")
            let key = try server.run(
                """
                UPDATE \(table.name.sql) SET \(name) = CASE WHEN \(name)::text IS NULL THEN \(other)
                  WHEN \(name)::text = (\(other))::text THEN NULL ELSE \(other) END
                WHERE ctid = (SELECT ctid FROM \(table.name.sql) ORDER BY \(order) OFFSET \(Int.random(in: 0..<500, using: &generator)) LIMIT 1)
                RETURNING \(keys)
                """, in: target)
            return Change(
                table: table.name,
                key: key.split(separator: "\u{1}", omittingEmptySubsequences: false).map(String.init),
                column: column.name)
        }
    }
}
