import EventLoops
import Glibc
import Postgres
import TestSupport
import Testing

@Suite(.onServer)
struct ConnectionConnectTests {
    private func connectError(
        _ settings: ConnectionSettings, within time: Duration = .seconds(20)
    ) async throws -> PostgresError {
        let pinned = Pinned()
        return try await pinned.run { pinned in
            try await postgresError {
                try await Connection.connect(settings, on: pinned.loop, until: .now + time)
            }
        }
    }

    @Test func connectsAndKnowsItsPeer() async throws {
        try await withConnection { connection in
            let result = try await connection.query("select pg_backend_pid()::int4")

            #expect(result.integer() == Int(connection.pid))
            #expect(connection.serverVersion >= 130_000)
            #expect(connection.transactionStatus == .idle)
            #expect(!connection.isBroken)
            #expect(!connection.usesTLS)
            #expect(connection.peer.hasSuffix("/postgres"))
        }
    }

    @Test func startsWithUTCAndISODatesEvenAfterARoleSaysOtherwise() async throws {
        let server = try TestServer.shared()
        _ = try server.run(
            "create role berlin login superuser", "alter role berlin set timezone = 'Europe/Berlin'",
            "alter role berlin set datestyle = 'German'", "alter role berlin set intervalstyle = 'iso_8601'")
        try await withConnection(server.conninfo(user: "berlin")) { connection in
            let sql = "select '2024-06-01 12:00+00'::timestamptz::text, '1 day'::interval::text"
            let first = try await connection.query(sql)
            try await connection.execute("set timezone = 'Asia/Tokyo'; set intervalstyle = 'sql_standard'")
            try await connection.reset(.clean, until: .now + .seconds(10))
            let second = try await connection.query(sql)
            try await connection.reset(.discard, until: .now + .seconds(10))
            let third = try await connection.query(sql)

            for result in [first, second, third] {
                #expect(result.text() == "2024-06-01 12:00:00+00")
                #expect(result.text(0, 1) == "1 day")
            }
        }
    }

    @Test func givesTheSQLSTATEOfARefusal() async throws {
        let server = try TestServer.shared()
        let noRole = try await connectError(ConnectionSettings(server.conninfo(user: "nobody_here")))
        let noDatabase = try await connectError(ConnectionSettings(server.conninfo(database: "nowhere")))

        #expect(noRole.sqlstate == "28000")
        #expect(noDatabase.sqlstate == "3D000")
        #expect("\(noDatabase)".contains("database \"nowhere\" does not exist (SQLSTATE 3D000)"))
        #expect(!"\(noDatabase)".contains("LOCATION"))
    }

    @Test func showsTheSQLSTATEOfAWrongPasswordAndNotThePassword() async throws {
        let server = try TestServer.start(TestServer.Options(authentication: ["local all ann scram-sha-256"]))
        defer { try? server.remove() }
        _ = try server.run("create role ann login password 'right one'")
        var settings = try ConnectionSettings(server.conninfo(user: "ann"))
        try settings.set("password", to: "wrong one")
        let wrong = try await connectError(settings)
        try settings.set("password", to: "right one")
        let right = settings
        let pinned = Pinned()
        let pid = try await pinned.run { pinned in
            let connection = try await Connection.connect(right, on: pinned.loop, until: .now + .seconds(10))
            defer { connection.close() }
            return connection.pid
        }

        #expect(wrong.sqlstate == "28P01")
        #expect(!"\(wrong)".contains("wrong one"))
        #expect(pid > 0)
    }

    @Test func readsThePasswordFile() async throws {
        let server = try TestServer.start(TestServer.Options(authentication: ["local all ann scram-sha-256"]))
        defer { try? server.remove() }
        _ = try server.run("create role ann login password 'from a file'")
        let path = try TestWorkspace.shared().makeDirectory("passfile") + "/pgpass"
        let file = try #require(fopen(path, "w"))
        fputs("*:*:*:ann:from a file\n", file)
        fclose(file)
        chmod(path, 0o600)

        try await withConnection(server.conninfo(user: "ann") + " passfile=\(path)") { connection in
            let result = try await connection.query("select current_user::text")
            #expect(result.text() == "ann")
        }
    }

    @Test func speaksTLSAndChecksTheCertificate() async throws {
        let server = try TestServer.start(TestServer.Options(usesTLS: true))
        defer { try? server.remove() }
        let base = "host=localhost hostaddr=127.0.0.1 port=\(server.port) user=postgres dbname=postgres"
        let root = try TestWorkspace.shared().makeDirectory("root") + "/root.crt"
        try await withConnection(base + " sslmode=require") { connection in
            #expect(connection.usesTLS)
            let stream = try await connection.rows("select repeat('x', 1000) from generate_series(1, 20000)")
            #expect(try await stream.forEach() == 20000)
        }
        let refused = try await connectError(ConnectionSettings(base + " sslmode=verify-full sslrootcert=\(root)"))
        try await withConnection(base + " sslmode=verify-full sslrootcert=\(server.certificate)") { connection in
            #expect(connection.usesTLS)
        }

        guard case .connectFailed(let reason, nil) = refused else { return #expect(Bool(false), "\(refused)") }
        #expect(reason.contains("root"))
    }

    @Test func saysWhenNobodyListens() async throws {
        let refused = try await connectError(ConnectionSettings("host=127.0.0.1 port=1 user=x dbname=x"))

        guard case .connectFailed(let reason, nil) = refused else { return #expect(Bool(false), "\(refused)") }
        #expect(reason.contains("Connection refused"))
    }

    @Test func saysWhenAHostNameIsUnknown() async throws {
        let unknown = try await connectError(ConnectionSettings("host=no-such-host.invalid user=x dbname=x"))

        guard case .connectFailed(let reason, nil) = unknown else { return #expect(Bool(false), "\(unknown)") }
        #expect(reason.contains("no-such-host.invalid"))
    }

    @Test func givesUpOnASilentServerAtTheDeadline() async throws {
        let proxy = try FaultProxy.onLoopback(to: TestServer.shared().endpoint)
        defer { proxy.close() }
        proxy.setBehaviour(FaultProxy.Behaviour(mode: .swallow))
        let byDeadline = try await connectError(ConnectionSettings(proxy.conninfo()), within: .milliseconds(300))
        let byTimeout = try await connectError(ConnectionSettings(proxy.conninfo() + " connect_timeout=1"))

        guard case .timedOut = byDeadline else { return #expect(Bool(false), "\(byDeadline)") }
        guard case .timedOut(let what) = byTimeout else { return #expect(Bool(false), "\(byTimeout)") }
        #expect(what.hasPrefix("connecting to"))
        proxy.setAll(FaultProxy.Behaviour())
        #expect(await eventually { proxy.counts.open == 0 })
    }

    @Test func triesTheNextHostAfterASilentOne() async throws {
        let server = try TestServer.shared()
        let silent = try FaultProxy.onLoopback(to: server.endpoint)
        let good = try FaultProxy.onLoopback(to: server.endpoint)
        defer {
            silent.close()
            good.close()
        }
        silent.setBehaviour(FaultProxy.Behaviour(mode: .swallow))
        var settings = try ConnectionSettings(silent.conninfo())
        let other = try ConnectionSettings(good.conninfo())
        let host = "\(settings["host"] ?? ""),\(other["host"] ?? ""),\(other["host"] ?? "")"
        try settings.set("host", to: host)
        try settings.set("port", to: "1,\(settings["port"] ?? ""),\(other["port"] ?? "")")
        try settings.set("connect_timeout", to: "1")
        try settings.set("sslmode", to: "disable")
        let chosen = settings
        let pinned = Pinned()
        let peer = try await pinned.run { pinned in
            let connection = try await Connection.connect(chosen, on: pinned.loop, until: .now + .seconds(20))
            defer { connection.close() }
            return connection.peer
        }

        #expect(peer.contains(other["port"] ?? "?"))
    }

    @Test func choosesAHostByRole() async throws {
        let server = try TestServer.shared()
        let failed = try await connectError(ConnectionSettings(server.conninfo() + " target_session_attrs=standby"))
        try await withConnection(server.conninfo() + " target_session_attrs=read-write") { connection in
            #expect(connection.parameter("in_hot_standby") == "off")
        }

        guard case .connectFailed(let reason, nil) = failed else { return #expect(Bool(false), "\(failed)") }
        #expect(reason.contains("standby"))
    }

    @Test func aCancelledConnectLeavesNothingBehind() async throws {
        let proxy = try FaultProxy.onLoopback(to: TestServer.shared().endpoint)
        defer { proxy.close() }
        proxy.setBehaviour(FaultProxy.Behaviour(mode: .freeze))
        let settings = try ConnectionSettings(proxy.conninfo())
        let pinned = Pinned()
        let connecting = Task {
            try await pinned.run { pinned in
                try await postgresError {
                    try await Connection.connect(settings, on: pinned.loop, until: .now + .seconds(30))
                }
            }
        }
        let isConnected = await eventually { proxy.counts.accepted == 1 }
        connecting.cancel()
        let error = try await connecting.value

        #expect(isConnected)
        #expect(error == .cancelled)
        proxy.setAll(FaultProxy.Behaviour())
        #expect(await eventually { proxy.counts.open == 0 })
    }

    @Test func tooManyConnectionsHasItsSQLSTATE() async throws {
        let server = try TestServer.start(
            TestServer.Options(settings: ["max_connections = 5", "superuser_reserved_connections = 1"]))
        defer { try? server.remove() }
        let pinned = Pinned()
        let settings = try ConnectionSettings(server.conninfo())
        let error = try await pinned.run { pinned in
            var held: [Connection] = []
            defer { for connection in held { connection.close() } }
            return try await postgresError {
                for _ in 0..<10 {
                    held.append(try await Connection.connect(settings, on: pinned.loop, until: .now + .seconds(10)))
                }
            }
        }

        #expect(error.sqlstate == "53300")
    }
}
