import EventLoops
import Postgres
import PostgresProtocol
import TestSupport
import Testing

@Suite(.onServer)
struct ReplicationStreamTests {
    private static let table = "create table t (id int primary key)"

    @Test func theSystemSaysWhichItIs() async throws {
        try await withWalsender { walsender in
            let identity = try await walsender.connection.identifySystem(until: soon)
            let known = try await walsender.sql.query(
                "select system_identifier::text, current_database()::text from pg_control_system()")
            let name = try await walsender.sql.query(
                "select application_name from pg_stat_replication where pid = \(walsender.connection.pid)")

            #expect(identity.systemIdentifier == known.text(0, 0))
            #expect(identity.database == known.text(0, 1))
            #expect(identity.timeline == 1)
            #expect(identity.flushLSN > .zero)
            #expect(name.text() == "replhost test")
        }
    }

    @Test func aSlotsSnapshotAndItsStreamMeet() async throws {
        try await withWalsender([Self.table, "insert into t values (1)"]) { walsender in
            let slot = try await walsender.connection.createReplicationSlot(
                slotName(), isTemporary: true, exportsSnapshot: true, until: soon)
            try await walsender.sql.execute("insert into t values (2)")
            try await walsender.sql.execute("begin isolation level repeatable read")
            try await walsender.sql.execute("set transaction snapshot '\(slot.snapshotName ?? "none")'")
            let copied = try await walsender.sql.query("select string_agg(id::text, ',') from t")
            try await walsender.sql.execute("commit")
            let stream = try await walsender.start(slot.name, from: slot.consistentPoint, isBinary: false)
            let lines = try await stream.transactions(1)

            #expect(copied.text() == "1")
            #expect(lines.last == "insert 2")
        }
    }

    @Test func aStatusIsAnsweredWhileTheReaderWaits() async throws {
        try await withWalsender([Self.table]) { walsender in
            let stream = try await walsender.stream()
            await walsender.settled(stream)
            let pinned = Pinned(besides: walsender.connection)
            let safe = SendableStream(stream)
            let sending = Task {
                try await pinned.run { _ in
                    for round in 1...200 {
                        try await safe.stream.send(.at(LSN(UInt64(round)), asking: round == 200), until: soon)
                    }
                }
            }
            let keepalive = try await stream.keepalive()
            try await sending.value

            #expect(keepalive.serverEnd > .zero)
        }
    }

    @Test func progressIsHeardWhileNothingIsRead() async throws {
        try await withWalsender([Self.table]) { walsender in
            let stream = try await walsender.stream()
            try await walsender.sql.execute("insert into t select generate_series(-30000, 30000)")
            let start = try await stream.next(until: soon).count
            let position = LSN(0x1000)
            // More than the socket holds is on its way to a reader that does not read.
            for _ in 0..<2000 { try await stream.send(.at(position, asking: false), until: soon) }
            let heard = try await eventually {
                try await walsender.sql.query(
                    "select flush_lsn::text from pg_stat_replication where pid = \(walsender.connection.pid)"
                ).text() == position.description
            }
            let numbers = try await stream.transactions(1).count

            #expect(start > 0)
            #expect(heard)
            #expect(numbers >= 60001)
        }
    }

    @Test func streamsAreReadOverTLS() async throws {
        let server = try TestServer.start(.init(usesTLS: true))
        defer { try? server.remove() }
        try await withConnection(server.loopbackConninfo() + " sslmode=require") { sql in
            try await sql.execute("create table t (id int primary key)")
            try await sql.execute("create publication p for all tables")
            let connection = try await Connection.connectForReplication(
                sql.settings, purpose: "test", on: sql.loop, until: soon)
            defer { connection.close() }
            let slot = try await connection.createReplicationSlot("s", exportsSnapshot: false, until: soon)
            let request = StreamRequest(slot: slot.name, start: .zero, publications: ["p"])
            let stream = try await connection.startReplication(request, until: soon)
            var counts: [Int] = []
            for round in 1...20 {
                try await sql.execute("insert into t select generate_series(\(round * 1000), \(round * 1000 + 999))")
                let (lines, end) = try await stream.readTransactions(1)
                try await stream.send(.at(end, asking: true), until: soon)
                counts.append(lines.filter { $0.hasPrefix("insert") }.count)
            }

            #expect(connection.usesTLS)
            #expect(counts == Array(repeating: 1000, count: 20))
        }
    }

    @Test func whatIsConfirmedIsNotSentAgain() async throws {
        try await withWalsender([Self.table]) { walsender in
            let slot = try await walsender.connection.createReplicationSlot(
                slotName(), exportsSnapshot: false, until: soon)
            let stream = try await walsender.start(slot.name, isBinary: false)
            try await walsender.sql.execute("insert into t values (1)")
            try await walsender.sql.execute("insert into t values (2)")
            let first = try await stream.readTransactions(1)
            try await stream.send(.at(first.end, asking: true), until: soon)
            _ = try await stream.keepalive()
            await stream.stop()
            let twice = try await postgresError { try await walsender.start(slot.name) }
            let later = try await walsender.another()
            defer { later.connection.close() }
            let resumed = try await later.start(slot.name, isBinary: false)
            let again = try await resumed.readTransactions(1)
            await resumed.stop()
            try await walsender.connection.dropReplicationSlot(slot.name, waiting: true, until: soon)

            #expect(twice == .unusable(reason: "a session with a walsender streams only once"))
            #expect(first.lines.last == "insert 1")
            #expect(again.lines.last == "insert 2")
        }
    }

    @Test func aStoppedStreamFreesTheConnection() async throws {
        try await withWalsender([Self.table]) { walsender in
            let stream = try await walsender.stream()
            try await walsender.sql.execute("insert into t select generate_series(1, 20000)")
            _ = try await stream.next(until: soon)
            await stream.stop(until: soon)
            await stream.stop()
            let identity = try await walsender.connection.identifySystem(until: soon)
            let error = try await postgresError { try await stream.next() }

            #expect(identity.timeline == 1)
            #expect(error == .unusable(reason: "the replication stream has been stopped"))
        }
    }

    @Test func nothingElseRunsWhileItStreams() async throws {
        try await withWalsender { walsender in
            let stream = try await walsender.stream()
            let error = try await postgresError { try await walsender.connection.identifySystem() }
            await stream.stop()

            #expect(error == .unusable(reason: "another statement is running on this connection"))
        }
    }

    @Test func aCancelledWaitLeavesTheStreamAsItWas() async throws {
        try await withWalsender([Self.table]) { walsender in
            let stream = try await walsender.stream(isBinary: false)
            await walsender.settled(stream)
            let pinned = Pinned(besides: walsender.connection)
            let safe = SendableStream(stream)
            let (begun, begins) = AsyncStream.makeStream(of: Void.self)
            let reading = Task {
                try await pinned.run { _ in
                    begins.yield()
                    // The server may still have something to say.
                    return try await postgresError { while true { _ = try await safe.stream.next() } }
                }
            }
            for await _ in begun.prefix(1) {}
            reading.cancel()
            let error = try await reading.value
            try await walsender.sql.execute("insert into t values (7)")
            let lines = try await stream.transactions(1)

            #expect(error == .cancelled)
            #expect(lines.last == "insert 7")
        }
    }

    @Test func whatIsHereComesWithoutWaiting() async throws {
        try await withWalsender([Self.table]) { walsender in
            let stream = try await walsender.stream()
            await walsender.settled(stream)
            let nothing = try stream.nextAvailable() == nil
            try await walsender.sql.execute("insert into t values (7)")
            var count = try await stream.next(until: soon).count
            while try stream.nextAvailable() != nil { count += 1 }

            #expect(nothing)
            #expect(count > 0)
        }
    }
}

extension Walsender {
    /// Reads what the server says at the start, until it says nothing for a while.
    fileprivate func settled(_ stream: ReplicationStream) async {
        while (try? await stream.next(until: .now + .milliseconds(200))) != nil {}
    }
}

extension StandbyStatus {
    static func at(_ position: LSN, asking: Bool) -> StandbyStatus {
        StandbyStatus(written: position, flushed: position, applied: position, clientTime: 0, requestsReply: asking)
    }
}

/// Safe: used on one loop's thread only.
struct SendableStream: @unchecked Sendable {
    let stream: ReplicationStream

    init(_ stream: ReplicationStream) { self.stream = stream }
}
