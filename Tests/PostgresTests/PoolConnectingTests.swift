import Testing

@testable import Postgres

/// When connections are made, and what happens when they cannot be.
struct PoolConnectingTests {
    @Test func slotCountsFromConnectingUntilClosed() {
        var driver = PoolDriver { $0.max = 2 }
        driver.holdsClosing = true
        let leases = driver.leaseFresh(2)
        driver.giveBack(leases[0], .broken)
        driver.wait()
        driver.advance(.seconds(1))
        let whileClosing = driver.take().connects
        driver.perform(driver.machine.closed(leases[0], now: driver.now))

        #expect(whileClosing.isEmpty)
        #expect(driver.take().connects.count == 1)
    }

    @Test func waiterTakesAReturnedConnectionBeforeANewOne() throws {
        var driver = PoolDriver()
        let lease = driver.leaseFresh(1)[0]
        driver.advance(.seconds(1))
        let waiter = driver.wait()
        let connect = try driver.takeConnect()
        driver.giveBack(lease)

        #expect(driver.take() == [.offer(lease, waiter)])
        driver.connectSucceeded(connect)
        #expect(driver.take() == [])
        #expect(driver.takeIdle() == connect, "a connect outlives the one who asked for it")
    }

    @Test func connectOutlivesACancelledWaiter() throws {
        var driver = PoolDriver()
        let waiter = driver.wait()
        let connect = try driver.takeConnect()
        driver.cancel(waiter)

        #expect(driver.take() == [])
        driver.connectSucceeded(connect)
        #expect(driver.takeIdle() == connect)
    }

    @Test func quickReturnsMakeConnectsUnnecessary() throws {
        var driver = PoolDriver { $0.max = 50 }
        let waiter = driver.wait()
        let connect = try driver.takeConnect()
        driver.now = driver.now + .milliseconds(150)
        driver.connectSucceeded(connect)
        let lease = driver.accept(waiter)
        driver.now = driver.now + .milliseconds(2)
        driver.giveBack(try #require(lease))
        _ = driver.take()
        _ = driver.takeIdle()
        for _ in 0..<5 { driver.wait() }

        #expect(driver.take().connects.isEmpty)
    }

    @Test func leaseThatDoesNotComeBackIsNotCountedOn() {
        var driver = PoolDriver { $0.max = 50 }
        _ = driver.leaseFresh(1)
        driver.wait()
        driver.advance(.milliseconds(200))

        #expect(driver.take().connects.count == 1)
    }

    @Test func manyLongLeasesDoNotKeepALoneWaiterWaiting() throws {
        var driver = PoolDriver { $0.max = 50 }
        driver.wait()
        let connect = try driver.takeConnect()
        driver.now = driver.now + .milliseconds(20)
        driver.connectSucceeded(connect)
        _ = driver.leaseFresh(40)
        driver.wait()
        driver.advance(.milliseconds(45))

        #expect(driver.take().connects.count == 1)
    }

    @Test func hikariSpikeEndsWithFewConnections() {
        let result = PoolSpike(tasks: 50, connect: .milliseconds(150), use: .milliseconds(2), max: 50, min: 5).run()

        #expect(result.served == 50)
        #expect(result.connections <= 8)
        #expect(result.took <= .milliseconds(200))
    }

    @Test func hikariSpikeOnABusyMachineEndsWithFewConnections() {
        let result = PoolSpike(tasks: 50, connect: .milliseconds(150), use: .milliseconds(25), max: 50, min: 5).run()

        #expect(result.served == 50)
        #expect(result.connections <= 8)
    }

    @Test func slowQueriesGrowThePoolQuickly() {
        let result = PoolSpike(tasks: 50, connect: .milliseconds(150), use: .seconds(1), max: 50, min: 5).run()

        #expect(result.served == 50)
        #expect(result.connections >= 40)
        #expect(result.took <= .seconds(2.5), "one connection after the other would take 10 s")
    }

    @Test func quickConnectsServeEvenMiddlingQueriesInParallel() {
        let result = PoolSpike(tasks: 20, connect: .milliseconds(5), use: .milliseconds(100), max: 20, min: 0).run()

        #expect(result.served == 20)
        #expect(result.took <= .milliseconds(250), "four connections alone would take 500 ms")
    }

    @Test func fillsUpToMinAndKeepsItFilled() throws {
        var driver = PoolDriver { $0.min = 3 }
        driver.perform(driver.machine.warmUpRequested(now: driver.now))
        driver.connectAll()
        let waiter = driver.wait()
        let accepted = driver.accept(waiter)
        let lease = try #require(accepted)
        _ = driver.take()
        driver.giveBack(lease, .broken)
        for id in driver.take().checks { driver.perform(driver.machine.checkSucceeded(id, now: driver.now)) }

        #expect(driver.statistics.idle + driver.statistics.connecting == 3)
    }

    @Test(arguments: ["28P01", "28000", "3D000"])
    func permanentErrorIsShownAtOnce(sqlstate: String) throws {
        var driver = PoolDriver()
        driver.wait()
        let failure = ConnectFailure(message: "no", sqlstate: sqlstate)
        driver.connectFailed(try driver.takeConnect(), failure)

        #expect(driver.take().failures == [.rejected(failure)])
    }

    @Test func badHostNameIsShownAtOnce() {
        let failure = ConnectFailure(message: "could not translate host name \"nohost\" to address")

        #expect(failure.isPermanent)
    }

    @Test(arguments: [
        ("password authentication failed for user \"x\"", "28P01", "~/.pgpass"),
        ("database \"x\" does not exist", "3D000", "dbname"), ("permission denied", "42501", "GRANT CONNECT"),
        ("fe_sendauth: no password supplied", nil, "PGPASSWORD"),
    ])
    func aRefusalSaysWhatHelps(message: String, sqlstate: String?, help: String) {
        let failure = ConnectFailure(message: message, sqlstate: sqlstate)
        let hints = [
            PoolError.rejected(failure).hint, PostgresError.connectFailed(reason: message, sqlstate: sqlstate).hint,
        ]

        #expect(hints.allSatisfy { $0?.contains(help) == true })
    }

    @Test func aRefusalIsToldOnce() throws {
        var driver = PoolDriver()
        driver.wait()
        driver.connectFailed(try driver.takeConnect(), PoolDriver.wrongPassword)
        let waiting = driver.take()
        var unasked = PoolDriver { $0.min = 1 }
        unasked.perform(unasked.machine.warmUpRequested(now: unasked.now))
        unasked.connectFailed(try unasked.takeConnect(), PoolDriver.wrongPassword)

        #expect(waiting.failures == [.rejected(PoolDriver.wrongPassword)])
        #expect(!waiting.contains(.reportFailure(PoolDriver.wrongPassword)))
        #expect(unasked.take().contains(.reportFailure(PoolDriver.wrongPassword)))
    }

    @Test func permanentErrorIsNotRetriedUnlessAskedFor() throws {
        var driver = PoolDriver()
        driver.wait()
        driver.connectFailed(try driver.takeConnect(), PoolDriver.wrongPassword)
        _ = driver.take()
        driver.wait()
        let hasty = driver.take()
        driver.advance(.seconds(60))
        let silent = driver.take()
        driver.wait()

        #expect(hasty.failures == [.rejected(PoolDriver.wrongPassword)])
        #expect(hasty.connects.isEmpty)
        #expect(silent.isEmpty)
        #expect(driver.take().connects.count == 1)
    }

    @Test func breakerFailsWaitersTogetherAndNewcomersAtOnce() throws {
        var driver = PoolDriver { $0.failFastAfter = .seconds(5) }
        driver.wait()
        driver.wait()
        var connects = driver.take().connects
        while let id = connects.popLast() { driver.connectFailed(id) }
        var failures: [PoolError] = []
        while driver.now < MonotonicTime(nanoseconds: 6_000_000_000) {
            driver.advance(.milliseconds(50))
            let actions = driver.take()
            failures += actions.failures
            for id in actions.connects { driver.connectFailed(id) }
        }
        driver.wait()
        failures += driver.take().failures

        #expect(failures.count == 3)
        for error in failures {
            guard case .unavailable(PoolDriver.refused, failingFor: let duration) = error else {
                Issue.record("\(error)")
                continue
            }
            #expect(duration >= .seconds(5))
        }
    }

    @Test func oneProbeGoesOnWithBackOffAndRecoveryIsAutomatic() throws {
        var driver = PoolDriver { $0.failFastAfter = .zero }
        driver.wait()
        driver.connectFailed(try driver.takeConnect())
        var pauses: [Int64] = []
        for _ in 0..<30 {
            let failed = driver.now
            while driver.statistics.connecting == 0 { driver.advance(.milliseconds(1)) }
            pauses.append(driver.now.nanoseconds(since: failed) / 1_000_000)
            #expect(driver.statistics.connecting == 1)
            driver.connectFailed(try driver.takeConnect())
        }
        driver.advance(.seconds(11))
        driver.connectSucceeded(try driver.takeConnect())

        #expect(pauses.prefix(4).elementsEqual([100, 125, 157, 196], by: { abs($0 - $1) <= 1 }))
        #expect(pauses.max() ?? 0 <= 10_001)
        #expect(driver.takeIdle() != nil)
    }

    @Test func deadConnectionIsReplacedWithoutBackOff() throws {
        var driver = PoolDriver { $0.max = 1 }
        let lease = driver.leaseFresh(1)[0]
        driver.giveBack(lease)
        _ = driver.takeIdle()
        driver.perform(driver.machine.takenFoundDead(lease, now: driver.now))
        driver.wait()

        #expect(driver.take().connects.count == 1)
    }

    @Test func outageWithLiveConnectionsLetsWaitersWaitForThem() throws {
        var driver = PoolDriver { $0.failFastAfter = .zero }
        let lease = driver.leaseFresh(1)[0]
        driver.advance(.seconds(1))
        let waiter = driver.wait()
        driver.connectFailed(try driver.takeConnect(), PoolDriver.wrongPassword)
        let told = driver.take()
        driver.giveBack(lease)

        #expect(told == [.reportFailure(PoolDriver.wrongPassword)])
        #expect(driver.take() == [.offer(lease, waiter)])
    }
}
