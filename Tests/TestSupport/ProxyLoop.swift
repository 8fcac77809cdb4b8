import Glibc

/// The thread of a `FaultProxy`: poll(2) over listener, wake-up pipe and all connections.
final class ProxyLoop: @unchecked Sendable {
    // Safe: handed to one thread, which alone runs it.
    private let listener: CInt
    private let server: Endpoint
    private let shared: FaultProxy.Shared
    private var links: [ProxyLink] = []

    init(listener: CInt, server: Endpoint, shared: FaultProxy.Shared) {
        self.listener = listener
        self.server = server
        self.shared = shared
        _ = fcntl(listener, F_SETFL, O_NONBLOCK)
    }

    func run() {
        while obey() {
            waitForEvents()
            acceptAll()
            let now = ContinuousClock.now
            for link in links { link.advance(now: now, server: server) }
            dropEnded()
        }
        links.forEach { $0.close() }
        links = []
        dropEnded()
        close(listener)
    }

    /// Does what the tests asked for; false if it is to end.
    private func obey() -> Bool {
        drainWakeUps()
        let control = shared.update { control in
            defer {
                control.behaviourOfOpen = nil
                control.cutsOpen = false
            }
            return control
        }
        if let behaviour = control.behaviourOfOpen { links.forEach { $0.behaviour = behaviour } }
        if control.cutsOpen {
            links.forEach { $0.cut() }
            dropEnded()
        }
        shared.update { $0.obeyed = control.asked }
        return !control.isClosing
    }

    private func waitForEvents() {
        var entries = [pollfd(fd: shared.wakeDescriptor, events: Int16(POLLIN), revents: 0)]
        entries.append(pollfd(fd: listener, events: Int16(POLLIN), revents: 0))
        let now = ContinuousClock.now
        for link in links { entries += link.interests(now: now) }
        let nextDue = links.compactMap { $0.nextDue }.min()
        let wait = nextDue.map { max(.zero, $0 - now) }
        poll(&entries, nfds_t(entries.count), wait.map { CInt($0 / .milliseconds(1)) + 1 } ?? -1)
    }

    private func acceptAll() {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { return }
            let behaviour = shared.update { control in
                control.counts.accepted += 1
                if control.behaviour.mode == .refuse { control.counts.refused += 1 }
                return control.behaviour
            }
            let link = ProxyLink(client: client, behaviour: behaviour)
            if behaviour.mode == .refuse { link.cut() } else { links.append(link) }
        }
    }

    /// Forgets closed connections and publishes the counts.
    private func dropEnded() {
        let moved = links.map { $0.takeMoved() }
        links.removeAll { $0.isClosed }
        let open = links.count
        shared.update { control in
            control.counts.open = open
            control.counts.peak = max(control.counts.peak, open)
            control.counts.roundTrips += moved.reduce(0) { $0 + $1.roundTrips }
            control.counts.bytesToServer += moved.reduce(0) { $0 + $1.toServer }
            control.counts.bytesToClient += moved.reduce(0) { $0 + $1.toClient }
        }
    }

    private func drainWakeUps() {
        var buffer = [UInt8](repeating: 0, count: 64)
        while read(shared.wakeDescriptor, &buffer, buffer.count) > 0 {}
    }
}
