import PostgresProtocol
import Replication
import TestSupport
import Testing

extension StreamTests {
    /// Values of all types in changes.
    @Suite struct Values {
        private static let inRow = 5

        /// Tables with a few columns each; every second one without a key, told apart by whole rows.
        private static func statements(_ types: [IdentityType]) -> (make: [String], change: [String]) {
            var make: [String] = []
            var change: [String] = []
            for first in stride(from: 0, to: types.count, by: inRow) {
                let columns = types[first..<min(first + inRow, types.count)]
                let name = "values_\(first)"
                let hasKey = first / inRow % 2 == 0
                let definitions = columns.enumerated().map { "c\($0) \($1.name)" }
                let names = columns.indices.map { "c\($0 - first)" }.joined(separator: ", ")
                let values = { (seed: Int) in columns.map { $0.sql(seed) }.joined(separator: ", ") }
                let insert = { (from: Int, to: Int, seed: Int) in
                    "INSERT INTO \(name) (id, \(names)) SELECT i, \(values(seed)) FROM generate_series(\(from)::int8, \(to)) i"
                }
                let update = { (condition: String, seed: Int) in
                    """
                    UPDATE \(name) SET (\(names)) = ROW(\(values(seed))) FROM (SELECT id AS i FROM \(name)) n \
                    WHERE id = i AND \(condition)
                    """
                }
                make += [
                    "CREATE TABLE \(name) (id bigint\(hasKey ? " PRIMARY KEY" : ""), \(definitions.joined(separator: ", ")))",
                    hasKey ? "" : "ALTER TABLE \(name) REPLICA IDENTITY FULL", insert(1, 60, 1),
                ]
                change += [
                    insert(61, 130, 2), update("id % 3 = 0", 3), update("id % 7 = 0", 4),
                    "DELETE FROM \(name) WHERE id % 5 = 0", insert(131, 133, 5), update("id = 131", 6),
                    "DELETE FROM \(name) WHERE id = 132",
                ]
            }
            return (make, change)
        }

        private func check(_ types: [IdentityType], together: Bool) async throws {
            let database = try IdentityDatabase(seed: 1, tables: 0, special: false)
            let harness = try CopyHarness(database.server, source: database.conninfo)
            let (make, change) = Self.statements(types)
            try harness.run(fileOnSource: make)
            try await harness.follow()

            try harness.run(fileOnSource: together ? ["BEGIN"] + change + ["COMMIT"] : change)
            try await harness.follow()

            let sides = try [harness.source, harness.target].map {
                try IdentityDatabase.fingerprint(of: $0, database.server)
            }
            let different = zip(sides[0], sides[1]).filter { $0 != $1 }.map { "\($0) became \($1)" }
            #expect(different.isEmpty)
            #expect(sides[0].count == sides[1].count)
        }

        @Test func ofTypesWithAPortableFormArriveInBinary() async throws {
            let portable = try IdentityType.scalars.filter { type in
                let oid = try TestServer.shared().run("SELECT \(SQLText.quoteLiteral(type.name))::regtype::oid")
                return ValueKind(OID(UInt32(oid) ?? 0)).hasPortableBinary
            }
            #expect(portable.count >= 40)
            try await check(portable + portable.map { $0.array() }, together: false)
        }

        @Test(arguments: [true, false]) func ofAllTypesArriveAsText(together: Bool) async throws {
            try await check(IdentityType.all + IdentityType.arrays, together: together)
        }
    }
}
