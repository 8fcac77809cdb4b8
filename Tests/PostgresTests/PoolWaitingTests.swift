import Testing

@testable import Postgres

/// Who is served, refused and told what.
struct PoolWaitingTests {
    @Test func servesFirstComeFirst() {
        var driver = PoolDriver { $0.max = 1 }
        let lease = driver.leaseFresh(1)[0]
        let first = driver.wait()
        let second = driver.wait()
        driver.giveBack(lease)

        #expect(driver.take() == [.offer(lease, first)])
        #expect(driver.accept(first) == lease)
        driver.giveBack(lease)
        #expect(driver.take() == [.offer(lease, second)])
    }

    @Test func nobodyOvertakesTheQueue() {
        var driver = PoolDriver { $0.max = 1 }
        let lease = driver.leaseFresh(1)[0]
        let first = driver.wait()
        driver.giveBack(lease)

        #expect(driver.takeIdle() == nil)
        #expect(driver.accept(first) == lease)
    }

    @Test func handsOutTheLastReturnedFirst() {
        var driver = PoolDriver()
        let leases = driver.leaseFresh(3)
        driver.giveBack(leases[0])
        driver.giveBack(leases[2])
        driver.giveBack(leases[1])

        #expect(driver.takeIdle() == leases[1])
        #expect(driver.takeIdle() == leases[2])
    }

    @Test func timeoutTellsWhoHoldsConnectionsForLongest() throws {
        var driver = PoolDriver { $0.max = 4 }
        _ = driver.leaseFresh(4)
        driver.wait(.seconds(60))
        driver.wait(.seconds(2))
        _ = driver.take()
        driver.advance(.seconds(2))
        guard case .timedOut(let facts)? = driver.take().failures.first else {
            Issue.record("no timeout")
            return
        }

        #expect(facts.waited == .seconds(2))
        #expect(facts.max == 4 && facts.inUse == 4 && facts.idle == 0 && facts.waiting == 1 && facts.connecting == 0)
        #expect(facts.holders.map(\.site) == ["shop.lua:1", "shop.lua:2", "shop.lua:3"])
        #expect(facts.holders[0].age > facts.holders[1].age)
    }

    @Test func timeoutCarriesTheLastConnectErrorWithItsSQLSTATE() throws {
        var driver = PoolDriver { $0.failFastAfter = .seconds(100) }
        driver.wait(.seconds(1))
        driver.connectFailed(
            try driver.takeConnect(),
            ConnectFailure(message: "sorry, too many clients already", sqlstate: "53300"))
        driver.advance(.seconds(1))
        let failures = driver.take().failures
        let error = try #require(failures.first)

        #expect(
            "\(error)" == "no connection became free within 1 s: max 10, in use 0, idle 0, waiting 0, "
                + "connecting 1; last connect error: sorry, too many clients already (SQLSTATE 53300)")
    }

    @Test func zeroTimeoutTriesAtOnce() {
        var driver = PoolDriver()
        let waiter = driver.wait(.zero)
        let first = driver.take()

        #expect(first.failures.count == 1)
        #expect(first.connects.count == 1, "the next try is to find a connection")
        driver.connectSucceeded(first.connects[0])
        #expect(driver.takeIdle() == first.connects[0])
        #expect(driver.accept(waiter) == nil)
    }

    @Test func zeroTimeoutTakesAConnectionThatOthersWouldPingFirst() {
        var driver = PoolDriver()
        let lease = driver.leaseFresh(1)[0]
        driver.giveBack(lease)
        driver.advance(.seconds(31))
        let waiter = driver.wait(.zero)

        #expect(driver.take() == [.offer(lease, waiter)])
    }

    @Test func queueIsBounded() {
        var driver = PoolDriver {
            $0.max = 1
            $0.maxWaiting = 2
        }
        _ = driver.leaseFresh(1)
        driver.wait()
        driver.wait()
        let before = driver.take().failures
        driver.wait()
        let after = driver.take().failures

        #expect(before.isEmpty)
        guard case .tooManyWaiting(limit: 2, let facts)? = after.first else {
            Issue.record("not refused: \(after)")
            return
        }
        #expect(facts.waiting == 2)
    }

    @Test func cancelledWaiterDoesNotSwallowAConnection() {
        var driver = PoolDriver { $0.max = 1 }
        let lease = driver.leaseFresh(1)[0]
        let first = driver.wait()
        let second = driver.wait()
        driver.giveBack(lease)
        _ = driver.take()
        driver.cancel(first)

        #expect(driver.take() == [.offer(lease, second)])
        #expect(driver.accept(first) == nil)
        #expect(driver.accept(second) == lease)
    }

    @Test func timedOutWaiterDoesNotSwallowAConnection() {
        var driver = PoolDriver { $0.max = 1 }
        let lease = driver.leaseFresh(1)[0]
        let first = driver.wait(.seconds(1))
        driver.giveBack(lease)
        _ = driver.take()
        driver.advance(.seconds(1))

        #expect(driver.take().failures.count == 1)
        #expect(driver.accept(first) == nil)
        #expect(driver.takeIdle() == lease)
    }

    @Test func cancelledWaiterInTheQueueIsForgotten() {
        var driver = PoolDriver { $0.max = 1 }
        let lease = driver.leaseFresh(1)[0]
        driver.cancel(driver.wait())
        driver.giveBack(lease)

        #expect(driver.take() == [])
        #expect(driver.takeIdle() == lease)
    }

    @Test func deadOfferPutsTheWaiterBackInFront() throws {
        var driver = PoolDriver { $0.max = 1 }
        let lease = driver.leaseFresh(1)[0]
        let first = driver.wait()
        driver.wait()
        driver.giveBack(lease)
        let accepted = driver.machine.offerAccepted(first, now: driver.now)
        let offer = try #require(accepted)
        _ = driver.take()
        driver.perform(driver.machine.acceptedFoundDead(offer, now: driver.now))
        let connect = try driver.takeConnect()
        driver.connectSucceeded(connect)

        #expect(driver.take() == [.offer(connect, first)])
        #expect(driver.statistics.counters.deadFound == 1)
    }

    @Test func taskWaitingForItselfIsToldSo() {
        var driver = PoolDriver { $0.max = 2 }
        _ = driver.leaseFresh(2, borrower: 7)
        _ = driver.take()
        driver.wait(borrower: 7)

        guard case .selfDeadlock(max: 2, let holders)? = driver.take().failures.first else {
            Issue.record("not noticed")
            return
        }
        #expect(holders.map(\.site) == ["shop.lua:1", "shop.lua:2"])
    }

    @Test func tasksWaitingForEachOtherAreToldSo() {
        var driver = PoolDriver { $0.max = 2 }
        _ = driver.leaseFresh(1, borrower: 1)
        _ = driver.leaseFresh(1, borrower: 2)
        driver.wait(borrower: 1)
        let early = driver.take().failures
        driver.wait(borrower: 2)

        #expect(early.isEmpty)
        #expect(driver.take().failures.count == 1)
    }

    @Test func borrowerWithoutLeasesIsNoDeadlock() {
        var driver = PoolDriver { $0.max = 1 }
        _ = driver.leaseFresh(1, borrower: 1)
        driver.wait(borrower: 2)

        #expect(driver.take().failures.isEmpty)
    }
}
