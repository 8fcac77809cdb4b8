import EventLoops
import Glibc
import Postgres
import TestSupport
import Testing

@Suite(.onServer)
struct ConnectionSessionTests {
    @Test func aCancelledTaskCancelsItsStatementOnTheServer() async throws {
        try await withConnection { connection in
            let other = try await Connection.connect(connection.settings, on: connection.loop, until: nil)
            defer { other.close() }
            let pid = connection.pid
            let pinned = Pinned(besides: connection)
            let running = Task {
                try await pinned.run { _ in
                    try await postgresError { try await connection.query("select pg_sleep(60)") }
                }
            }
            let isRunning = try await isActive(pid, seenBy: other)
            running.cancel()
            let error = try await running.value

            #expect(isRunning)
            #expect(error == .cancelled)
            #expect(connection.isClean(for: .clean))
            #expect(try await connection.query("select 1").integer() == 1)
        }
    }

    @Test func aDeadlineCancelsTheStatementOnTheServer() async throws {
        try await withConnection { connection in
            let error = try await postgresError {
                try await connection.query("select pg_sleep(60)", until: .now + .milliseconds(100))
            }

            #expect(error == .timedOut(what: "waiting for the server"))
            #expect(connection.isClean(for: .clean))
            #expect(try await connection.query("select 1").integer() == 1)
        }
    }

    @Test func aCancelRequestEndsWhatRunsAndNothingAfterIt() async throws {
        try await withConnection { connection in
            let pinned = Pinned(besides: connection)
            for _ in 0..<30 {
                let stream = try await connection.rows("select repeat('x', 100) from generate_series(1, 100000)")
                let (begun, begins) = AsyncStream.makeStream(of: Void.self)
                let cancelling = Task {
                    await pinned.run { _ in
                        begins.yield()
                        await connection.cancelRunning()
                    }
                }
                for await _ in begun.prefix(1) {}
                _ = try? await stream.forEach()
                let result = try await connection.query("select count(*)::int from generate_series(1, 20000)")
                await cancelling.value
                #expect(result.integer() == 20000)
            }
            await connection.cancelRunning()
            #expect(try await connection.query("select 1").integer() == 1)
        }
    }

    @Test func aSilentServerBreaksTheConnectionAfterTheGrace() async throws {
        let proxy = try FaultProxy(to: TestServer.shared().endpoint)
        defer { proxy.close() }
        try await withConnection(proxy.conninfo()) { connection in
            proxy.setAll(FaultProxy.Behaviour(mode: .swallow))
            let start = ContinuousClock.now
            let error = try await postgresError {
                try await connection.query("select 1", until: .now + .milliseconds(100))
            }

            guard case .timedOut = error else { return #expect(Bool(false), "\(error)") }
            #expect(connection.isBroken)
            #expect(!connection.isAlive())
            #expect(ContinuousClock.now - start < .seconds(9))
        }
    }

    @Test func aKilledBackendIsNoticedIdleAndBusy() async throws {
        let server = try TestServer.shared()
        try await withConnection { connection in
            let before = connection.isAlive()
            _ = try server.run("select pg_terminate_backend(\(connection.pid), 5000)")
            let alive = connection.isAlive()
            let error = try await postgresError { try await connection.query("select 1") }

            #expect(before)
            #expect(!alive)
            #expect(error.sqlstate == "57P01")
            #expect(connection.isBroken)
        }
        try await withConnection { connection in
            let error = try await postgresError {
                try await connection.query("select pg_terminate_backend(pg_backend_pid()), pg_sleep(10)")
            }

            #expect(error.sqlstate == "57P01")
            guard case .connectionLost = error else { return #expect(Bool(false), "\(error)") }
            #expect(connection.isBroken)
        }
    }

    @Test func aCutConnectionIsLostWhateverItDoes() async throws {
        let proxy = try FaultProxy(to: TestServer.shared().endpoint)
        defer { proxy.close() }
        try await withConnection(proxy.conninfo()) { connection in
            let stream = try await connection.rows("select repeat('x', 1000) from generate_series(1, 1000000)")
            proxy.cut()
            let error = try await postgresError { try await stream.forEach() }

            guard case .connectionLost = error else { return #expect(Bool(false), "\(error)") }
            #expect(connection.isBroken)
        }
        try await withConnection(proxy.conninfo()) { connection in
            try await connection.execute("create temp table lost (t text)")
            let writer = try await connection.copyIn("copy lost from stdin")
            proxy.cut()
            let line = String(repeating: "x", count: 999) + "\n"
            let error = try await postgresError {
                for _ in 0..<100_000 { try await writer.send(line) }
                return try await writer.finish()
            }

            guard case .connectionLost = error else { return #expect(Bool(false), "\(error)") }
            #expect(connection.isBroken)
        }
    }

    @Test func pingsAndSaysWhenNobodyAnswers() async throws {
        let proxy = try FaultProxy(to: TestServer.shared().endpoint)
        defer { proxy.close() }
        try await withConnection(proxy.conninfo()) { connection in
            let answered = await connection.ping(until: .now + .seconds(5))
            proxy.setAll(FaultProxy.Behaviour(mode: .swallow))
            let silent = await connection.ping(until: .now + .milliseconds(100))

            #expect(answered)
            #expect(!silent)
            #expect(connection.isBroken)
        }
    }

    @Test func resetUndoesWhatASessionLeftBehind() async throws {
        try await withConnection { connection in
            try await connection.execute(
                "set search_path = pg_catalog; create temp table left_over (i int); select pg_advisory_lock(77)")
            try await connection.listen(to: "left_over")
            try await connection.execute("set role pg_monitor")
            _ = try await connection.query("select 1")
            let prepared = connection.preparedStatementCount
            let wasDirty = connection.isDirty
            try await connection.reset(.clean, until: .now + .seconds(10))
            let isDirty = connection.isDirty
            let state = try await connection.query(
                """
                select current_setting('search_path'), to_regclass('pg_temp.left_over')::text, current_user::text,
                       (select count(*)::text from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()),
                       (select count(*)::text from pg_listening_channels())
                """)

            #expect(wasDirty)
            #expect(!isDirty)
            #expect(prepared == 1)
            #expect(connection.preparedStatementCount == 2)
            #expect((0..<5).map { state.text(0, $0) } == ["\"$user\", public", nil, "postgres", "0", "0"])
        }
    }

    @Test func resetRollsBackAndDiscards() async throws {
        try await withConnection { connection in
            try await connection.beginTransaction()
            _ = try await postgresError { try await connection.query("select 1 / 0") }
            let failed = connection.transactionStatus
            try await connection.reset(.rollback, until: .now + .seconds(10))
            let rolledBack = connection.transactionStatus
            let isClean = connection.isClean(for: .clean)
            try await connection.reset(.discard, until: .now + .seconds(10))

            #expect(failed == .inError)
            #expect(rolledBack == .idle)
            #expect(isClean)
            #expect(connection.preparedStatementCount == 0)
            #expect(!connection.isClean(for: .discard))
        }
    }

    @Test func resetEndsAStatementThatNobodyWaitsFor() async throws {
        try await withConnection { connection in
            _ = try await connection.rows(
                "select repeat('x', 1000) from generate_series(1, 10000) a, generate_series(1, 10000) b")
            try await connection.reset(.clean, until: .now + .seconds(10))

            #expect(connection.isClean(for: .clean))
            #expect(try await connection.query("select 1").integer() == 1)
        }
    }

    @Test func aCommitThatRollsBackIsAnError() async throws {
        try await withConnection { connection in
            try await connection.beginTransaction(TransactionOptions(isolation: .serializable, isReadOnly: true))
            let level = try await connection.query("show transaction_isolation")
            _ = try await postgresError { try await connection.query("select 1 / 0") }
            let error = try await postgresError { try await connection.commit() }

            #expect(level.text() == "serializable")
            #expect(error == .commitRolledBack)
            #expect(connection.transactionStatus == .idle)
        }
    }

    @Test func savepointsUndoAPart() async throws {
        try await withConnection { connection in
            try await connection.execute("create temp table s (i int)")
            try await connection.beginTransaction()
            _ = try await connection.query("insert into s values (1)")
            try await connection.savepoint("odd \"name\"")
            _ = try await postgresError { try await connection.query("insert into s values (1 / 0)") }
            try await connection.rollback(to: "odd \"name\"")
            try await connection.commit()

            #expect(try await connection.query("select count(*) from s").integer() == 1)
        }
    }

    @Test func notificationsComeInOrder() async throws {
        try await withConnection { connection in
            let other = try await Connection.connect(connection.settings, on: connection.loop, until: nil)
            defer { other.close() }
            try await connection.listen(to: "News \"x\"")
            for number in 0..<5 { try await other.notify("News \"x\"", "\(number)") }
            var payloads: [String] = []
            while payloads.count < 5, let next = try await connection.waitForNotification(until: .now + .seconds(10)) {
                payloads.append(next.payload)
                #expect(next.pid == other.pid)
            }
            let none = try await connection.waitForNotification(until: .now + .milliseconds(50))
            try await other.notify("News \"x\"", "while idle")
            let alive = connection.isAlive()
            _ = try await connection.query("select 1")
            let late = connection.takeNotification()

            #expect(payloads == ["0", "1", "2", "3", "4"])
            #expect(none == nil)
            #expect(alive)
            #expect(late?.payload == "while idle")
        }
    }

    @Test func handsNoticesToTheHandler() async throws {
        try await withConnection { connection in
            var notices: [ServerError] = []
            connection.onNotice = { notices.append($0) }
            try await connection.execute("do $$ begin raise warning 'look out'; end $$")

            #expect(notices.map(\.message) == ["look out"])
            #expect(notices.map(\.severity) == ["WARNING"])
        }
    }

    @Test func aClosedConnectionSaysSo() async throws {
        try await withConnection { connection in
            connection.close()
            connection.close()
            let error = try await postgresError { try await connection.query("select 1") }

            #expect(error == .unusable(reason: "the connection is closed"))
            #expect(connection.isBroken)
            #expect(!connection.isAlive())
            #expect(connection.transactionStatus == .unknown)
        }
    }

    /// Whether the backend `pid` comes to run something within ten seconds. Waits on the loop: after `Task.sleep`
    /// code that merely runs on an actor would go on elsewhere.
    private func isActive(_ pid: Int32, seenBy other: Connection) async throws -> Bool {
        let sql =
            "select count(*) from pg_stat_activity where pid = $1 and query like '%pg_sleep%' and state = 'active'"
        for _ in 0..<2000 {
            if try await other.query(sql, [.integer(Int64(pid))]).integer() == 1 { return true }
            try await other.loop.sleep(until: .now + .milliseconds(5))
        }
        return false
    }
}
