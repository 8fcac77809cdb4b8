import Glibc

/// Somebody who waits for a socket.
struct Wait {
    let id: UInt64
    let event: SocketEvent
    let deadline: ContinuousClock.Instant?
    let continuation: WaitContinuation
}

/// The sockets that a loop waits for, in the form that poll(2) takes.
struct WaitTable {
    struct Ready {
        var wokenUp = false
        var waits: [Wait] = []
        var expired: [Wait] = []
    }

    /// `descriptors[0]` is the wake-up descriptor, `descriptors[i + 1]` belongs to `waits[i]`.
    private var waits: [Wait] = []
    private var descriptors: [pollfd] = [pollfd()]

    var earliestDeadline: ContinuousClock.Instant? { waits.lazy.compactMap(\.deadline).min() }

    mutating func add(_ wait: Wait, on descriptor: CInt) {
        waits.append(wait)
        descriptors.append(pollfd(fd: descriptor, events: wait.event.pollEvents, revents: 0))
    }

    mutating func remove(_ id: UInt64) -> Wait? {
        guard let index = waits.firstIndex(where: { $0.id == id }) else { return nil }
        return remove(at: index)
    }

    mutating func removeAll() -> [Wait] {
        defer {
            waits = []
            descriptors.removeSubrange(1...)
        }
        return waits
    }

    /// Blocks for `timeout` at most (nil: for ever), and takes out who is done waiting.
    mutating func poll(wakeUp: CInt, timeout: Duration?) -> Ready {
        descriptors[0] = pollfd(fd: wakeUp, events: Int16(POLLIN), revents: 0)
        let count = Glibc.poll(&descriptors, nfds_t(descriptors.count), timeout.map(\.roundedUpToMilliseconds) ?? -1)
        var ready = Ready()
        if count > 0 { collectReady(into: &ready) }
        if waits.contains(where: { $0.deadline != nil }) { collectExpired(into: &ready) }
        return ready
    }

    private mutating func collectReady(into ready: inout Ready) {
        ready.wokenUp = descriptors[0].revents != 0
        for index in waits.indices.reversed() where descriptors[index + 1].revents != 0 {
            ready.waits.append(remove(at: index))
        }
    }

    private mutating func collectExpired(into ready: inout Ready) {
        let now = ContinuousClock.now
        for index in waits.indices.reversed() {
            if let deadline = waits[index].deadline, deadline <= now { ready.expired.append(remove(at: index)) }
        }
    }

    private mutating func remove(at index: Int) -> Wait {
        descriptors.swapAt(index + 1, descriptors.count - 1)
        descriptors.removeLast()
        waits.swapAt(index, waits.count - 1)
        return waits.removeLast()
    }
}

extension Duration {
    /// What poll(2) takes: a wait must not end before its time.
    fileprivate var roundedUpToMilliseconds: CInt {
        let (seconds, attoseconds) = components
        guard seconds < 1_000_000 else { return CInt.max }
        return CInt(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
