import EventLoops
import Postgres
import PostgresProtocol
import TestSupport
import Testing

@Suite(.onServer)
struct ReplicationFailureTests {
    @Test func aSlotInUseIsTold() async throws {
        try await withWalsender { walsender in
            let slot = try await walsender.connection.createReplicationSlot(
                slotName(), exportsSnapshot: false, until: soon)
            let stream = try await walsender.start(slot.name)
            let other = try await walsender.another()
            defer { other.connection.close() }
            let starting = try await postgresError { try await other.start(slot.name) }
            let dropping = try await postgresError { try await other.connection.dropReplicationSlot(slot.name) }
            await stream.stop()
            try await other.connection.dropReplicationSlot(slot.name, waiting: true, until: soon)

            #expect(starting.sqlstate == "55006")
            #expect(dropping.sqlstate == "55006")
            #expect(!other.connection.isBroken)
        }
    }

    @Test func missingSlotsAndWrongNamesAreTold() async throws {
        try await withWalsender { walsender in
            let missing = try await postgresError { try await walsender.start("nobody_s") }
            let wrong = try await postgresError {
                try await walsender.connection.createReplicationSlot("A b", exportsSnapshot: false, until: soon)
            }
            let zero = try await postgresError { try await walsender.connection.dropReplicationSlot("a\0b") }

            #expect(missing.sqlstate == "42704")
            #expect(wrong.sqlstate == "42602")
            #expect(zero.sqlstate == nil)
            #expect(!walsender.connection.isBroken)
        }
    }

    @Test func aSlotThatWaitsForATransactionCanBeGivenUp() async throws {
        try await withWalsender { walsender in
            let name = slotName()
            try await walsender.sql.execute("begin")
            _ = try await walsender.sql.query("select pg_current_xact_id()")
            let error = try await postgresError {
                try await walsender.connection.createReplicationSlot(
                    name, exportsSnapshot: true, until: .now + .milliseconds(300))
            }
            try await walsender.sql.execute("commit")
            let left = try await walsender.sql.query(
                "select count(*)::int from pg_replication_slots where slot_name = '\(name)'")
            let slot = try await walsender.connection.createReplicationSlot(
                name, isTemporary: true, exportsSnapshot: true, until: soon)

            #expect(error == .timedOut(what: "waiting for the server"))
            #expect(left.integer() == 0)
            #expect(slot.snapshotName != nil)
        }
    }

    @Test func aMissingPublicationEndsTheStream() async throws {
        try await withWalsender(["create table t (id int)"]) { walsender in
            let slot = try await walsender.connection.createReplicationSlot(
                slotName(), isTemporary: true, exportsSnapshot: false, until: soon)
            let request = StreamRequest(slot: slot.name, start: .zero, publications: ["nowhere"])
            let stream = try await walsender.connection.startReplication(request, until: soon)
            try await walsender.sql.execute("insert into t values (1)")
            let error = try await postgresError { try await stream.transactions(1) }
            let again = try await postgresError { try await stream.next() }
            let sending = try await postgresError { try await stream.send(.at(.zero, asking: false)) }

            guard case .server(let server) = error else { throw NothingThrown() }
            #expect(server.message.contains("nowhere"))
            #expect(again == error && sending == error)
            // A server that only warns of it goes on streaming, and has to be left.
            guard walsender.sql.serverVersion < 180_000 else {
                #expect(server.sqlstate == "55000" && walsender.connection.isBroken)
                return
            }
            #expect(server.sqlstate == "42704")
            #expect(try await walsender.connection.identifySystem(until: soon).timeline == 1)
        }
    }

    @Test func aTerminatedWalsenderIsALostConnection() async throws {
        try await withWalsender { walsender in
            let stream = try await walsender.stream()
            try await walsender.sql.execute("select pg_terminate_backend(\(walsender.connection.pid))")
            let error = try await postgresError { try await stream.transactions(1) }

            guard case .connectionLost(_, let sqlstate) = error else { throw error }
            #expect(sqlstate == "57P01")
            #expect(walsender.connection.isBroken)
        }
    }

    @Test func aCutConnectionIsLost() async throws {
        let proxy = try FaultProxy(to: TestServer.shared().endpoint)
        defer { proxy.close() }
        try await withWalsender(through: proxy) { walsender in
            let stream = try await walsender.stream()
            proxy.cut()
            let error = try await postgresError { try await stream.transactions(1) }

            guard case .connectionLost = error else { throw error }
            #expect(walsender.connection.isBroken)
        }
    }

    @Test func aFrozenConnectionIsSilentUntilTheDeadline() async throws {
        let proxy = try FaultProxy(to: TestServer.shared().endpoint)
        defer { proxy.close() }
        try await withWalsender(["create table t (id int)"], through: proxy) { walsender in
            let stream = try await walsender.stream(isBinary: false)
            proxy.setAll(.init(mode: .freeze))
            try await walsender.sql.execute("insert into t values (1)")
            let error = try await postgresError {
                while true { _ = try await stream.next(until: .now + .milliseconds(100)) }
            }
            let sending = try await postgresError {
                let status = StandbyStatus.at(.zero, asking: false)
                while true { try await stream.send(status, until: .now + .milliseconds(100)) }
            }
            proxy.setAll(.init())
            let lines = try await stream.transactions(1)

            #expect(error == .timedOut(what: "waiting for the server"))
            #expect(sending == .timedOut(what: "waiting for the server"))
            #expect(lines.last == "insert 1")
        }
    }

    @Test func aServerThatStopsEndsTheStream() async throws {
        let server = try TestServer.start()
        defer { try? server.remove() }
        try await withConnection(server.conninfo()) { sql in
            let connection = try await Connection.connectForReplication(
                sql.settings, purpose: "test", on: sql.loop, until: soon)
            defer { connection.close() }
            try await sql.execute("create publication p for all tables")
            let slot = try await connection.createReplicationSlot("s", exportsSnapshot: false, until: soon)
            let request = StreamRequest(slot: slot.name, start: .zero, publications: ["p"])
            let stream = try await connection.startReplication(request, until: soon)
            let stopping = onItsOwnThread { try server.stop() }
            let error = try await postgresError { try await stream.keepAlive() }
            try await stopping.value

            guard case .connectionLost = error else { throw error }
        }
    }

    @Test func aSlotThatLostItsLogIsTold() async throws {
        let server = try TestServer.start(
            .init(settings: ["max_slot_wal_keep_size = 1MB", "min_wal_size = 32MB", "max_wal_size = 32MB"]))
        defer { try? server.remove() }
        try await withConnection(server.conninfo()) { sql in
            let connection = try await Connection.connectForReplication(
                sql.settings, purpose: "test", on: sql.loop, until: soon)
            defer { connection.close() }
            try await sql.execute("create publication p for all tables; create table t (id int)")
            let slot = try await connection.createReplicationSlot("s", exportsSnapshot: false, until: soon)
            for _ in 0..<4 {
                try await sql.execute("insert into t values (1)")
                try await sql.execute("select pg_switch_wal()")
            }
            try await sql.execute("checkpoint")
            let request = StreamRequest(slot: slot.name, start: .zero, publications: ["p"])
            let error = try await postgresError {
                let stream = try await connection.startReplication(request, until: soon)
                return try await stream.transactions(1)
            }

            #expect(error.sqlstate == "55000")
            #expect(!connection.isBroken)
        }
    }
}

extension ReplicationStream {
    /// Answers the server until it ends the stream: it waits for that when it stops.
    fileprivate func keepAlive() async throws {
        while true {
            let keepalive = try await keepalive()
            try await send(.at(keepalive.serverEnd, asking: false), until: soon)
        }
    }
}
