import Postgres
import PostgresProtocol
import TestSupport
import Testing

/// A walsender's session behaves as others do, whoever shares it.
@Suite(.onServer)
struct ReplicationSessionTests {
    @Test func textHasTheStyleOfOtherSessions() async throws {
        let name = "styles_\(UInt64.random(in: 0 ... .max))"
        try TestServer.shared().run(
            "create database \(name)", "alter database \(name) set intervalstyle = 'iso_8601'",
            "alter database \(name) set datestyle = 'German'", "alter database \(name) set timezone = 'Asia/Tokyo'")
        let conninfo = try TestServer.shared().conninfo(database: name)
        try await withConnection(conninfo) { sql in
            try await sql.execute("create table t (i interval, d date, z timestamptz)")
            try await sql.execute("create publication \(SQLText.quoteIdentifier(Walsender.publication)) for table t")
            let connection = try await Connection.connectForReplication(
                sql.settings, purpose: "test", on: sql.loop, until: soon)
            defer { connection.close() }
            let stream = try await Walsender(sql: sql, connection: connection).stream(isBinary: false)
            try await sql.execute("insert into t values ('1 day 2 h', '2026-01-02', '2026-01-02 03:04:05+00')")
            let line = try await stream.transactions(1).last

            #expect(line == "insert 1 day 02:00:00|2026-01-02|2026-01-02 03:04:05+00")
        }
    }
}
