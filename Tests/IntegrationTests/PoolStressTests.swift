import EventLoops
import Postgres
import Synchronization
import TestSupport
import Testing

/// Many tasks, few connections, random kills.
@Suite(.onServer)
struct PoolStressTests {
    /// How long the killing goes on.
    static let duration: Duration = .seconds(12)

    @Test func randomKillsLoseNoLeaseAndNeverExceedMax() async throws {
        let server = try TestServer.start()
        let test = try TestPool(server.conninfo()) { $0.max = 5 }
        let end = ContinuousClock.now + Self.duration
        let tally = try await withThrowingTaskGroup(of: Tally.self) { group in
            for _ in 0..<2 {
                group.addTask { try await work(25, test, until: end) }
            }
            group.addTask { try await killAtRandom(test, server, until: end) }
            return try await group.reduce(into: Tally()) { $0.add($1) }
        }
        let pinned = Pinned()
        let pids = try await pinned.run { pinned in try await leasePids(5, test, on: pinned.loop) }
        let settled = await eventually { test.pool.statistics().size == test.pool.statistics().idle }
        let aborted = await test.pool.close(timeout: .seconds(5))

        #expect(tally.served > 200)
        #expect(tally.killed > 10)
        #expect(tally.unexplained == 0)
        #expect(tally.mostBackends <= 5)
        #expect(pids.count == 5, "every slot is still of use")
        #expect(settled)
        #expect(aborted == 0)
        try server.remove()
    }

    @Test func hikariSpikeEndsWithFewConnections() async throws {
        let server = try TestServer.shared()
        let proxy = try FaultProxy(to: server.endpoint)
        proxy.setBehaviour(FaultProxy.Behaviour(connectDelay: .milliseconds(150)))
        let test = try TestPool(proxy.conninfo()) {
            $0.max = 50
            $0.min = 5
        }
        let pinned = Pinned()
        let served = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    _ = try await pinned.run { pinned in
                        try await test.with(on: pinned.loop) { try await $0.text("select pg_sleep(0.002)") }
                    }
                    return 1
                }
            }
            return try await group.reduce(0, +)
        }

        #expect(served == 50)
        #expect(test.pool.statistics().size <= 8)
        proxy.close()
    }

    @Test func cancelledWaitersNeitherLoseNorSwallowConnections() async throws {
        let server = try TestServer.shared()
        let test = try TestPool(server.conninfo()) { $0.max = 2 }
        let pinned = Pinned()
        try await pinned.run { pinned in
            for round in 0..<40 {
                let tasks = (0..<10).map { _ in
                    Task { try await pinned.run { try await test.with(on: $0.loop) { try await $0.text("select 1") } } }
                }
                try await pinned.loop.sleep(until: .now + .milliseconds(round % 5))
                for (index, task) in tasks.enumerated() where (index + round) % 3 == 0 { task.cancel() }
                for task in tasks { _ = await task.result }
            }
            let pids = try await leasePids(2, test, on: pinned.loop)

            #expect(pids.count == 2)
            #expect(test.pool.statistics().waiting == 0)
        }
    }

    @Test func oneConnectionIsHandedFromLoopToLoop() async throws {
        let server = try TestServer.shared()
        let test = try TestPool(server.conninfo()) { $0.max = 1 }
        let total = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let pinned = Pinned()
                    return try await pinned.run { pinned in
                        for _ in 0..<50 { _ = try await test.with(on: pinned.loop) { try await $0.text("select 1") } }
                        return 50
                    }
                }
            }
            return try await group.reduce(0, +)
        }

        #expect(total == 200)
        #expect(test.pool.statistics().counters.created == 1)
    }
}

private struct Tally: Sendable {
    var served = 0
    var failed = 0
    var killed = 0
    /// Errors that do not say why.
    var unexplained = 0
    var mostBackends = 0

    mutating func add(_ other: Tally) {
        served += other.served
        failed += other.failed
        killed += other.killed
        unexplained += other.unexplained
        mostBackends = max(mostBackends, other.mostBackends)
    }
}

/// Tasks of one event loop that borrow again and again.
private func work(_ tasks: Int, _ test: TestPool, until end: ContinuousClock.Instant) async throws -> Tally {
    let pinned = Pinned()
    return try await withThrowingTaskGroup(of: Tally.self) { group in
        for _ in 0..<tasks {
            group.addTask { await pinned.run { await borrowRepeatedly(test, on: $0.loop, until: end) } }
        }
        return try await group.reduce(into: Tally()) { $0.add($1) }
    }
}

private func borrowRepeatedly(
    _ test: TestPool, on loop: EventLoop, until end: ContinuousClock.Instant
) async -> Tally {
    var tally = Tally()
    while ContinuousClock.now < end {
        do {
            _ = try await test.with(on: loop) { connection in
                if Bool.random() { _ = try await connection.query("begin", [], until: nil) }
                return try await connection.text("select pg_sleep(random() * 0.005)")
            }
            tally.served += 1
        } catch PostgresError.connectionLost, PostgresError.server, PostgresError.unusable {
            tally.failed += 1
        } catch {
            Issue.record("\(error)")
            tally.unexplained += 1
        }
    }
    return tally
}

/// Kills a random backend of the pool every few milliseconds, and counts them all each time.
private func killAtRandom(
    _ test: TestPool, _ server: TestServer, until end: ContinuousClock.Instant
) async throws -> Tally {
    let mine = "from pg_stat_activity where application_name = '\(test.applicationName)'"
    return try await withConnection(server.conninfo()) { connection in
        var tally = Tally()
        while ContinuousClock.now < end {
            let count = try await connection.text("select count(*)::text \(mine)") ?? ""
            tally.mostBackends = max(tally.mostBackends, Int(count) ?? 99)
            let kill = "select pg_terminate_backend(pid)::text \(mine) order by random() limit 1"
            if try await connection.query(kill, [], until: nil).count > 0 { tally.killed += 1 }
            _ = try await connection.text("select pg_sleep(0.05)")
        }
        return tally
    }
}
