import CLibpq
import Glibc

/// Linux: the peer has closed its sending side. Not in Glibc's module map without `_GNU_SOURCE`.
private let peerHasHungUp: Int16 = 0x2000

extension Connection {
    /// Looks at the socket without blocking or a round trip: false if the server has said good-bye or hung up.
    /// Takes in what has come, notifications and changed parameters included.
    package func isAlive() -> Bool {
        guard let handle, !isBroken else { return false }
        while true {
            var descriptor = pollfd(fd: PQsocket(handle), events: Int16(POLLIN) | peerHasHungUp, revents: 0)
            guard poll(&descriptor, 1, 0) != 0 else { break }
            let hungUp = descriptor.revents & (peerHasHungUp | Int16(POLLHUP) | Int16(POLLERR) | Int16(POLLNVAL)) != 0
            let readable = PQconsumeInput(handle) == 1
            _ = PQisBusy(handle)
            if hungUp || !readable || notices.farewell != nil || PQstatus(handle) != CONNECTION_OK {
                _ = lost()
                return false
            }
        }
        collectNotifications()
        return true
    }

    /// As `isAlive()`, but what it has said within the last 50 µs still holds: a server's end takes longer to arrive.
    func isAlive(at now: MonotonicTime) -> Bool {
        if now.nanoseconds(since: lookedAt) < 50_000, !isBroken { return true }
        lookedAt = now
        return isAlive()
    }

    /// Broken, as far as can be seen without a round trip.
    package func hasEnded() -> Bool { activity == .idle ? !isAlive() : isBroken }

    /// One round trip with an empty statement. A connection that does not answer in time is broken from then on.
    package func ping(until deadline: ContinuousClock.Instant) async -> Bool {
        do throws(PostgresError) {
            try await begin(until: deadline)
        } catch {
            return false
        }
        do throws(PostgresError) {
            try await simple("", until: deadline)
            finish()
            return true
        } catch {
            fail(.connectionLost(reason: "no answer to a ping", sqlstate: error.sqlstate))
            finish()
            return false
        }
    }
}
