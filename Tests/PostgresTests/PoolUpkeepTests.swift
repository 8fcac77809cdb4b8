import Testing

@testable import Postgres

/// What happens to connections that come back, age, and are no longer wanted.
struct PoolUpkeepTests {
    @Test func longIdleConnectionIsPingedFirst() {
        var driver = PoolDriver { $0.checkIdle = .seconds(30) }
        let lease = driver.leaseFresh(1)[0]
        driver.giveBack(lease)
        driver.advance(.seconds(31))

        #expect(driver.takeIdle() == nil)
        let waiter = driver.wait()
        #expect(driver.take() == [.check(lease)])
        driver.perform(driver.machine.checkSucceeded(lease, now: driver.now))
        #expect(driver.take() == [.offer(lease, waiter)])
    }

    @Test func serverLossMakesIdleOnesSuspectAndOthersWhenTheyReturn() {
        var driver = PoolDriver()
        let leases = driver.leaseFresh(3)
        driver.giveBack(leases[0])
        driver.giveBack(leases[1], .broken)
        let atOnce = driver.take()
        driver.giveBack(leases[2])

        #expect(atOnce == [.check(leases[0])])
        #expect(driver.take() == [.check(leases[2])])
        driver.perform(driver.machine.checkFailed(leases[0], now: driver.now))
        driver.perform(driver.machine.checkSucceeded(leases[2], now: driver.now))
        #expect(driver.takeIdle() == leases[2])
        #expect(driver.statistics.idle == 0)
    }

    @Test func connectionMadeAfterTheLossIsNotSuspect() {
        var driver = PoolDriver()
        driver.giveBack(driver.leaseFresh(1)[0], .broken)
        let fresh = driver.leaseFresh(1)[0]
        driver.giveBack(fresh)

        #expect(driver.take().isEmpty)
        #expect(driver.takeIdle() == fresh)
    }

    @Test func dirtyConnectionIsCleanedBeforeItIsHandedOn() {
        var driver = PoolDriver { $0.max = 1 }
        let lease = driver.leaseFresh(1)[0]
        let waiter = driver.wait()
        driver.giveBack(lease, .dirty)

        #expect(driver.take() == [.reset(lease)])
        driver.perform(driver.machine.resetSucceeded(lease, now: driver.now))
        #expect(driver.take() == [.offer(lease, waiter)])
    }

    @Test func failedCleaningFreesTheSlot() {
        var driver = PoolDriver { $0.max = 1 }
        let lease = driver.leaseFresh(1)[0]
        driver.wait()
        driver.giveBack(lease, .dirty)
        _ = driver.take()
        driver.perform(driver.machine.resetFailed(lease, now: driver.now))

        #expect(driver.take().connects.count == 1)
        #expect(driver.statistics.counters.destroyed == [.resetFailed: 1])
    }

    @Test func secondReturnChangesNothing() {
        var driver = PoolDriver { $0.max = 1 }
        let lease = driver.leaseFresh(1)[0]
        driver.giveBack(lease)
        driver.giveBack(lease)
        driver.giveBack(lease, .broken)

        #expect(driver.statistics.idle == 1)
        #expect(driver.statistics.size == 1)
    }

    @Test func roleChangeRetiresTheConnectionAndSuspectsTheOthers() {
        var driver = PoolDriver()
        let leases = driver.leaseFresh(2)
        driver.giveBack(leases[0])
        driver.giveBack(leases[1], .roleChanged)

        #expect(driver.take() == [.check(leases[0])])
        driver.perform(driver.machine.checkFailed(leases[0], .roleChanged, now: driver.now))
        #expect(driver.statistics.size == 0)
        #expect(driver.statistics.counters.destroyed == [.roleChanged: 2])
    }

    @Test func leakIsReportedOnceWithItsSite() {
        var driver = PoolDriver { $0.leakAfter = .seconds(60) }
        let lease = driver.leaseFresh(1)[0]
        _ = driver.take()
        driver.advance(.seconds(59))
        let early = driver.take()
        driver.advance(.seconds(200))
        let late = driver.take()

        #expect(early.isEmpty)
        #expect(late.count == 1)
        guard case .reportLeak(lease, BorrowSite("shop.lua:1"), let age)? = late.first else {
            Issue.record("\(late)")
            return
        }
        #expect(age >= .seconds(60) && age < .seconds(62))
    }

    @Test func lifetimeEndsAtCheckout() throws {
        var driver = PoolDriver {
            $0.maxLifetime = .seconds(100)
            $0.checkIdle = .seconds(1000)
        }
        let lease = driver.leaseFresh(1)[0]
        driver.giveBack(lease)
        driver.now = driver.now + .seconds(100)

        #expect(driver.takeIdle() == nil)
        driver.wait()
        #expect(driver.take().connects.count == 1)
        #expect(driver.statistics.counters.destroyed == [.maxLifetime: 1])
    }

    @Test func lifetimeEndsAtReturn() {
        var driver = PoolDriver { $0.maxLifetime = .seconds(100) }
        let lease = driver.leaseFresh(1)[0]
        driver.advance(.seconds(100))
        driver.giveBack(lease)

        #expect(driver.closed == [lease])
    }

    @Test func lifetimeEndsWhileIdle() {
        var driver = PoolDriver { $0.maxLifetime = .seconds(100) }
        let lease = driver.leaseFresh(1)[0]
        driver.giveBack(lease)
        driver.advance(.seconds(101))

        #expect(driver.closed == [lease])
    }

    @Test func lifetimesAreSpreadByUpToFivePercent() throws {
        var driver = PoolDriver {
            $0.maxLifetime = .seconds(100)
            $0.min = 1
        }
        driver.perform(driver.machine.warmUpRequested(now: driver.now))
        let id = try driver.takeConnect()
        driver.connectSucceeded(id, random: 0.999)
        _ = driver.takeIdle()
        driver.giveBack(id)
        driver.advance(.seconds(94.9))
        let before = driver.closed
        driver.advance(.seconds(0.2))

        #expect(before.isEmpty)
        #expect(driver.closed == [id])
    }

    @Test func idleConnectionsShrinkToMin() {
        var driver = PoolDriver {
            $0.min = 1
            $0.idleTimeout = .seconds(60)
        }
        let leases = driver.leaseFresh(3)
        for lease in leases { driver.giveBack(lease) }
        driver.advance(.seconds(300))

        #expect(driver.statistics.idle == 1)
        #expect(driver.statistics.counters.destroyed == [.idleTimeout: 2])
    }

    @Test func zeroMeansUnlimitedForLifetimeAndIdleTimeout() {
        var driver = PoolDriver {
            $0.maxLifetime = .zero
            $0.idleTimeout = .zero
            $0.leakAfter = .zero
        }
        let lease = driver.leaseFresh(1)[0]
        driver.giveBack(lease)
        driver.advance(.seconds(86_400 * 30))

        #expect(driver.closed.isEmpty)
        #expect(driver.statistics.idle == 1)
    }

    @Test func resizingDownClosesIdleOnesAndThenReturnedOnes() {
        var driver = PoolDriver { $0.max = 4 }
        let leases = driver.leaseFresh(4)
        driver.giveBack(leases[0])
        driver.perform(driver.machine.resized(max: 2, min: 0, now: driver.now))
        let afterIdle = driver.statistics.size
        for lease in leases.dropFirst() { driver.giveBack(lease) }

        #expect(afterIdle == 3)
        #expect(driver.statistics.size == 2)
        #expect(driver.statistics.idle == 2)
    }

    @Test func resizingUpServesWaiters() {
        var driver = PoolDriver { $0.max = 1 }
        _ = driver.leaseFresh(1)
        driver.wait()
        driver.advance(.seconds(1))
        let before = driver.take().connects
        driver.perform(driver.machine.resized(max: 2, min: 0, now: driver.now))

        #expect(before.isEmpty)
        #expect(driver.take().connects.count == 1)
    }

    @Test func drainReplacesEveryConnection() {
        var driver = PoolDriver { $0.min = 2 }
        let leases = driver.leaseFresh(2)
        driver.giveBack(leases[0])
        driver.perform(driver.machine.drained(now: driver.now))
        driver.giveBack(leases[1])
        driver.connectAll()

        #expect(Set(driver.closed) == Set(leases))
        #expect(driver.statistics.idle == 2)
    }

    @Test func closingWakesWaitersAndWaitsForLeases() {
        var driver = PoolDriver { $0.max = 2 }
        let leases = driver.leaseFresh(2)
        let waiter = driver.wait()
        _ = driver.take()
        driver.perform(driver.machine.closeRequested(deadline: driver.now + .seconds(5), now: driver.now))
        let woken = driver.take()
        driver.giveBack(leases[0])
        driver.giveBack(leases[1], .dirty)
        driver.wait()

        #expect(woken == [.fail(waiter, .closed)])
        #expect(driver.take() == [.finishClosing(aborted: 0), .fail(WaiterID(number: waiter.number + 1), .closed)])
        #expect(driver.statistics.size == 0)
    }

    @Test func closingAbortsLeasesAtTheDeadlineAndNeverBlocks() {
        var driver = PoolDriver()
        let lease = driver.leaseFresh(1)[0]
        driver.perform(driver.machine.closeRequested(deadline: driver.now + .seconds(5), now: driver.now))
        let before = driver.take()
        driver.advance(.seconds(5))
        let after = driver.take()
        driver.giveBack(lease)

        #expect(before.isEmpty)
        #expect(after == [.abort(lease), .finishClosing(aborted: 1)])
        #expect(driver.closed == [lease])
    }

    @Test func countersAndHistogramsAddUp() {
        var driver = PoolDriver { $0.max = 1 }
        let lease = driver.leaseFresh(1)[0]
        let waiter = driver.wait()
        driver.now = driver.now + .milliseconds(9)
        driver.giveBack(lease)
        _ = driver.accept(waiter)
        let statistics = driver.statistics

        #expect(statistics.counters.acquired == 2)
        #expect(statistics.counters.waited == 2)
        #expect(statistics.counters.created == 1)
        #expect(statistics.use.count == 1)
        #expect(statistics.wait.count == 2)
        #expect(statistics.connect.count == 1)
        #expect(statistics.inUse == 1)
    }
}
