import EventLoops
import Postgres
import Synchronization
import TestSupport
import Testing

/// What a lease lets its holder do, and for how long.
@Suite(.onServer)
struct PoolLeaseTests {
    @Test func returnedLeaseNamesBothPlaces() async throws {
        let test = try TestPool(TestServer.shared().conninfo())
        let other = try TestPool(TestServer.shared().conninfo())
        let pinned = Pinned()
        try await pinned.run { pinned in
            let lease = try await test.pool.acquire(on: pinned.loop, site: BorrowSite("shop.lua:3"))
            let foreign = try await poolError { try other.pool.putBack(lease, at: BorrowSite("shop.lua:8")) }
            try test.pool.putBack(lease, at: BorrowSite("shop.lua:9"))
            let second = try await poolError { try test.pool.putBack(lease, at: BorrowSite("shop.lua:10")) }
            let use = try await poolError { try lease.connection }
            test.pool.release(lease)

            #expect(foreign == .foreignConnection(borrowed: "shop.lua:3"))
            #expect(second == .alreadyReturned(borrowed: "shop.lua:3", returned: "shop.lua:9"))
            #expect(use == .usedAfterReturn(borrowed: "shop.lua:3", returned: "shop.lua:9"))
            #expect(test.pool.statistics().idle == 1)
        }
    }

    @Test func forgottenLeaseGoesBackWithAWarning() async throws {
        let test = try TestPool(TestServer.shared().conninfo())
        let pinned = Pinned()
        try await pinned.run { pinned in
            _ = try await test.pool.acquire(on: pinned.loop, site: BorrowSite("shop.lua:3"))

            #expect(test.pool.statistics().idle == 1)
            #expect(test.warnings == [.forgotten(site: "shop.lua:3")])
        }
    }

    @Test func leakIsReportedWithTracebackAndLastStatement() async throws {
        let test = try TestPool(TestServer.shared().conninfo()) { $0.leakAfter = .milliseconds(50) }
        let pinned = Pinned()
        try await pinned.run { pinned in
            let site = BorrowSite("shop.lua:3") { .init(traceback: "stack", lastSQL: "select 1") }
            let lease = try await test.pool.acquire(on: pinned.loop, site: site)
            let warned = await eventually { !test.warnings.isEmpty }
            test.pool.release(lease)

            #expect(warned)
            guard case .leak("shop.lua:3", _, let inspection)? = test.warnings.first else { return }
            #expect(inspection == .init(traceback: "stack", lastSQL: "select 1"))
        }
    }

    @Test func closingAbortsALeaseAtItsDeadline() async throws {
        let server = try TestServer.shared()
        let test = try TestPool(server.conninfo())
        let pinned = Pinned()
        try await pinned.run { pinned in
            let lease = try await test.pool.acquire(on: pinned.loop)
            let connection = try lease.connection
            let query = Task { try await pinned.run { _ in try await connection.text("select pg_sleep(60)") } }
            let start = ContinuousClock.now
            let aborted = await test.pool.close(timeout: .milliseconds(200))
            let error = try await postgresError { try await query.value }
            test.pool.release(lease)
            let refused = try await poolError { try await test.pool.acquire(on: pinned.loop) }
            let gone = await eventually { test.pool.statistics().size == 0 }

            #expect(aborted == 1)
            #expect("\(error)".contains("taken away"))
            #expect(ContinuousClock.now - start < .seconds(5))
            #expect(refused == .closed)
            #expect(gone)
        }
    }

    @Test func taskWaitingForItselfIsToldSo() async throws {
        let test = try TestPool(TestServer.shared().conninfo()) { $0.max = 1 }
        let pinned = Pinned()
        try await pinned.run { pinned in
            let me = BorrowerID(1)
            let lease = try await test.pool.acquire(on: pinned.loop, site: BorrowSite("shop.lua:3"), borrower: me)
            let error = try await poolError { try await test.pool.acquire(on: pinned.loop, borrower: me) }
            test.pool.release(lease)

            guard case .selfDeadlock(max: 1, let holders) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(holders.map(\.site) == ["shop.lua:3"])
        }
    }

    @Test func onConnectHookSurvivesAReset() async throws {
        let test = try TestPool(TestServer.shared().conninfo()) {
            $0.max = 1
        } onConnect: { connection async throws(PostgresError) in
            _ = try await connection.query("set statement_timeout = '77s'", [], until: nil)
        }
        let pinned = Pinned()
        try await pinned.run { pinned in
            try await test.with(on: pinned.loop) { connection in
                _ = try await connection.query("set statement_timeout = 0", [], until: nil)
            }

            #expect(try await test.with(on: pinned.loop) { try await $0.text("show statement_timeout") } == "77s")
            #expect(test.pool.statistics().counters.created == 1)
        }
    }

    @Test func minIsFilledBeforeTheFirstBorrower() async throws {
        let test = try TestPool(TestServer.shared().conninfo()) { $0.min = 3 }
        test.pool.warmUp()

        #expect(await eventually { test.pool.statistics().idle == 3 })
    }
}
