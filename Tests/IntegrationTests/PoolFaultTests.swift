import EventLoops
import Postgres
import Sandbox
import TestSupport
import Testing

/// What borrowers notice of a server that dies, hangs or refuses: as little as possible.
@Suite(.onServer)
struct PoolFaultTests {
    @Test func backendTerminatedWhileIdleIsReplacedAtOnce() async throws {
        let server = try TestServer.shared()
        let test = try TestPool(server.conninfo())
        let pinned = Pinned()
        try await pinned.run { pinned in
            let old = try await test.with(on: pinned.loop) { $0.pid }
            try await terminate(old, server)
            let start = ContinuousClock.now
            let new = try await test.with(on: pinned.loop) { connection in
                _ = try await connection.text("select 1")
                return connection.pid
            }

            #expect(new != old)
            // A back-off takes longer; a busy machine does not take as long.
            #expect(ContinuousClock.now - start < .seconds(10))
            #expect(test.pool.statistics().counters.deadFound == 1)
        }
    }

    @Test func fiveDeadOnesDoNotSlowRecoveryDown() async throws {
        let server = try TestServer.shared()
        let test = try TestPool(server.conninfo())
        let pinned = Pinned()
        try await pinned.run { pinned in
            let pids = try await leasePids(5, test, on: pinned.loop)
            for pid in pids { try await terminate(pid, server) }
            let start = ContinuousClock.now
            _ = try await test.with(on: pinned.loop) { try await $0.text("select 1") }

            // A back-off takes longer; a busy machine does not take as long.
            #expect(ContinuousClock.now - start < .seconds(10))
        }
    }

    @Test func backendTerminatedWhileLeasedFreesTheSlot() async throws {
        let server = try TestServer.shared()
        let test = try TestPool(server.conninfo()) { $0.max = 1 }
        let pinned = Pinned()
        try await pinned.run { pinned in
            let lease = try await test.pool.acquire(on: pinned.loop)
            let connection = try lease.connection
            _ = try await connection.query("begin", [], until: nil)
            try await terminate(connection.pid, server)
            let error = try await postgresError { try await connection.text("select 1") }
            test.pool.release(lease)

            #expect(error.sqlstate == "57P01")
            #expect(try await test.with(on: pinned.loop) { try await $0.text("select 7::text") } == "7")
            #expect(test.pool.statistics().counters.destroyed[.broken] == 1)
        }
    }

    @Test func copyLeftOpenIsEndedBeforeTheNextBorrower() async throws {
        let server = try TestServer.shared()
        let test = try TestPool(server.conninfo()) { $0.max = 1 }
        let pinned = Pinned()
        try await pinned.run { pinned in
            let lease = try await test.pool.acquire(on: pinned.loop)
            let pid = try lease.connection.pid
            let stream = try await lease.connection.copyOut(
                "copy (select generate_series(1, 100000)) to stdout", until: nil)
            _ = stream
            test.pool.release(lease)
            let next = try await test.with(on: pinned.loop) { connection in
                (connection.pid, try await connection.text("select 'clean'"))
            }

            #expect(next.0 == pid)
            #expect(next.1 == "clean")
        }
    }

    @Test func openTransactionIsRolledBackAndSettingsDoNotLeak() async throws {
        let server = try TestServer.shared()
        let test = try TestPool(server.conninfo()) { $0.max = 1 }
        let pinned = Pinned()
        try await pinned.run { pinned in
            try await test.with(on: pinned.loop) { connection in
                _ = try await connection.query("set search_path = nowhere", [], until: nil)
                _ = try await connection.query("create temp table left_over (a int)", [], until: nil)
                _ = try await connection.query("select pg_advisory_lock(4711)", [], until: nil)
                _ = try await connection.query("begin", [], until: nil)
            }
            let rest = try await test.with(on: pinned.loop) { connection in
                try await connection.text(
                    """
                    select concat_ws(' ', current_setting('search_path'), to_regclass('left_over'),
                        (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()))
                    """)
            }

            #expect(rest == "\"$user\", public 0")
            #expect(test.pool.statistics().counters.created == 1)
        }
    }

    @Test(arguments: ["fast", "immediate"])
    func serverRestartIsSurvived(mode: String) async throws {
        let server = try TestServer.start()
        let test = try TestPool(server.conninfo()) { $0.failFastAfter = .seconds(15) }
        let pinned = Pinned()
        try await pinned.run { pinned in
            _ = try await leasePids(3, test, on: pinned.loop)
            try await pinned.loop.offload { Result { try server.restart(mode == "fast" ? .fast : .immediate) } }.get()

            #expect(try await test.with(on: pinned.loop) { try await $0.text("select 'up'") } == "up")
        }
        await test.pool.close(timeout: .seconds(1))
        try server.remove()
    }

    @Test func waiterDuringAnOutageIsServedWhenTheServerIsBack() async throws {
        let server = try TestServer.start()
        let test = try TestPool(server.conninfo()) { $0.failFastAfter = .seconds(15) }
        let pinned = Pinned()
        try await pinned.run { pinned in
            try await pinned.loop.offload { Result { try server.stop(.immediate) } }.get()
            let answer = Task { try await borrowOnce(test) }
            let sawFailure = await eventually { test.pool.statistics().counters.connectsFailed > 1 }
            try await pinned.loop.offload { Result { try server.start() } }.get()

            #expect(sawFailure)
            #expect(try await answer.value == "served")
        }
        await test.pool.close(timeout: .seconds(1))
        try server.remove()
    }

    @Test func unreachableServerIsReportedAfterFailFastAndRecoversByItself() async throws {
        let server = try TestServer.shared()
        let proxy = try FaultProxy(to: server.endpoint)
        proxy.setBehaviour(FaultProxy.Behaviour(mode: .refuse))
        let test = try TestPool(proxy.conninfo()) { $0.failFastAfter = .milliseconds(300) }
        let pinned = Pinned()
        try await pinned.run { pinned in
            let first = try await poolError { try await test.pool.acquire(on: pinned.loop) }
            let second = try await poolError { try await test.pool.acquire(on: pinned.loop, timeout: .seconds(60)) }
            proxy.setBehaviour(FaultProxy.Behaviour())
            let recovered = await eventually { test.pool.statistics().idle > 0 }

            guard case .unavailable = first, case .unavailable = second else {
                Issue.record("\(first), \(second)")
                return
            }
            #expect(recovered)
            #expect(test.warnings.count == 1)
        }
        proxy.close()
    }

    @Test func wrongPasswordAndUnknownDatabaseAreShownAtOnce() async throws {
        let server = try TestServer.start(
            TestServer.Options(authentication: ["local all ann scram-sha-256"]))
        try server.run("create role ann login password 'right'")
        let pinned = Pinned()
        try await pinned.run { pinned in
            let wrong = try TestPool(server.conninfo(user: "ann") + " password=wrong")
            let lost = try TestPool(server.conninfo(database: "nowhere"))
            let first = try await poolError { try await wrong.pool.acquire(on: pinned.loop) }
            let second = try await poolError { try await lost.pool.acquire(on: pinned.loop) }

            #expect(rejection(first)?.sqlstate == "28P01")
            #expect(!"\(first)".contains("wrong"))
            #expect(rejection(second)?.sqlstate == "3D000")
            #expect(wrong.pool.statistics().counters.connectsStarted == 1, "not retried in silence")
            #expect(lost.pool.statistics().counters.connectsStarted == 1)
        }
        try server.remove()
    }

    @Test func rotatedPasswordIsTakenFromTheProvider() async throws {
        let server = try TestServer.start(
            TestServer.Options(authentication: ["local all ann scram-sha-256"]))
        try server.run("create role ann login password 'one'")
        let password = Shelf("one")
        let conninfo = server.conninfo(user: "ann")
        let hooks = PoolHooks { () async throws(PostgresError) in
            try ConnectionSettings(conninfo + " password=\(password.value)")
        }
        let pool = try ConnectionPool(PoolSettings(), hooks: hooks)
        let pinned = Pinned()
        try await pinned.run { pinned in
            pool.release(try await pool.acquire(on: pinned.loop))
            try server.run("alter role ann password 'two'")
            password.value = "two"
            pool.drain()
            let lease = try await pool.acquire(on: pinned.loop)

            #expect(try await lease.connection.text("select current_user") == "ann")
            pool.release(lease)
        }
        await pool.close(timeout: .seconds(1))
        try server.remove()
    }

    @Test func tooManyConnectionsIsToldWithItsSQLSTATE() async throws {
        let few = ["max_connections = 4", "superuser_reserved_connections = 0", "max_wal_senders = 0"]
        let server = try TestServer.start(TestServer.Options(settings: few))
        let test = try TestPool(server.conninfo()) { $0.max = 8 }
        let pinned = Pinned()
        try await pinned.run { pinned in
            var leases: [Lease] = []
            for _ in 0..<4 { leases.append(try await test.pool.acquire(on: pinned.loop)) }
            var facts: PoolTimeout?
            // A busy machine takes its time to refuse.
            for _ in 0..<30 where facts?.lastFailure == nil {
                let error = try await poolError { try await test.pool.acquire(on: pinned.loop, timeout: .seconds(1)) }
                guard case .timedOut(let found) = error else {
                    Issue.record("\(error)")
                    break
                }
                facts = found
            }
            for lease in leases { test.pool.release(lease) }

            #expect(facts?.lastFailure?.sqlstate == "53300")
            #expect(facts?.inUse == 4)
        }
        await test.pool.close(timeout: .seconds(1))
        try server.remove()
    }

    @Test func silentNetworkIsNoticedByThePing() async throws {
        let server = try TestServer.shared()
        let proxy = try FaultProxy(to: server.endpoint)
        let test = try TestPool(proxy.conninfo()) {
            $0.checkIdle = .zero
            $0.resetTimeout = .milliseconds(300)
        }
        let pinned = Pinned()
        try await pinned.run { pinned in
            _ = try await leasePids(2, test, on: pinned.loop)
            proxy.setBehaviourOfOpen(FaultProxy.Behaviour(mode: .swallow))
            let start = ContinuousClock.now
            let answer = try await test.with(on: pinned.loop) { try await $0.text("select 'on'") }

            #expect(answer == "on")
            #expect(ContinuousClock.now - start < .seconds(5))
        }
        proxy.close()
    }
}
