import Glibc

/// One client's connection through a `FaultProxy`, and the one to the server behind it.
final class ProxyLink {
    /// Bytes on their way in one direction, each piece with the time it may be delivered at.
    private struct Lane {
        static let capacity = 1 << 20

        var pieces: [(due: ContinuousClock.Instant, bytes: ArraySlice<UInt8>)] = []
        var queued = 0
        var sourceEnded = false
        var moved = 0

        var hasRoom: Bool { queued < Self.capacity && !sourceEnded }
        var isFinished: Bool { sourceEnded && pieces.isEmpty }
    }

    var behaviour: FaultProxy.Behaviour
    private(set) var isClosed = false
    private let client: CInt
    private var server: CInt?
    private let connectAt: ContinuousClock.Instant
    private var toServer = Lane()
    private var toClient = Lane()
    private var bytesToClient = 0
    private var hasAnswered = true
    private var roundTrips = 0

    init(client: CInt, behaviour: FaultProxy.Behaviour) {
        self.client = client
        self.behaviour = behaviour
        connectAt = .now + behaviour.connectDelay
        Self.makeNonblocking(client)
    }

    /// When something is to be done without any socket event.
    var nextDue: ContinuousClock.Instant? {
        guard behaviour.mode == .pass else { return nil }
        guard server != nil else { return connectAt }
        let now = ContinuousClock.now
        return [toServer.pieces.first?.due, toClient.pieces.first?.due].compactMap { $0 }.filter { $0 > now }.min()
    }

    func interests(now: ContinuousClock.Instant) -> [pollfd] {
        guard behaviour.mode != .freeze, let server else { return [] }
        return [
            pollfd(fd: client, events: events(reading: toServer, writing: toClient, now), revents: 0),
            pollfd(fd: server, events: events(reading: toClient, writing: toServer, now), revents: 0),
        ].filter { $0.events != 0 }
    }

    func advance(now: ContinuousClock.Instant, server endpoint: Endpoint) {
        guard behaviour.mode != .freeze, !isClosed else { return }
        guard let server else { return connect(now: now, endpoint) }
        if behaviour.mode == .swallow { forgetQueued() }
        fill(&toServer, from: client, due: now + behaviour.delayToServer)
        fill(&toClient, from: server, due: now + behaviour.delayToClient)
        if deliver(&toServer, to: server, now: now, limit: .max) > 0, hasAnswered {
            hasAnswered = false
            roundTrips += 1
        }
        let limit = behaviour.cutAfterBytesToClient.map { max(0, $0 - bytesToClient) } ?? .max
        let answered = deliver(&toClient, to: client, now: now, limit: limit)
        if answered > 0 { hasAnswered = true }
        bytesToClient += answered
        if let most = behaviour.cutAfterBytesToClient, bytesToClient >= most { return cut() }
        if toServer.isFinished || toClient.isFinished { close() }
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        Glibc.close(client)
        if let server { Glibc.close(server) }
    }

    /// Closes without a goodbye: RST on TCP.
    func cut() {
        guard !isClosed else { return }
        var now = linger(l_onoff: 1, l_linger: 0)
        for descriptor in [client, server].compactMap({ $0 }) {
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        }
        close()
    }

    /// Bytes delivered, and round trips begun, since the last call.
    func takeMoved() -> (toServer: Int, toClient: Int, roundTrips: Int) {
        defer {
            toServer.moved = 0
            toClient.moved = 0
            roundTrips = 0
        }
        return (toServer.moved, toClient.moved, roundTrips)
    }

    private func connect(now: ContinuousClock.Instant, _ endpoint: Endpoint) {
        guard behaviour.mode == .pass, now >= connectAt else { return }
        guard let descriptor = try? endpoint.connect() else { return cut() }
        Self.makeNonblocking(descriptor)
        server = descriptor
    }

    private func forgetQueued() {
        toServer.pieces = []
        toServer.queued = 0
        toClient.pieces = []
        toClient.queued = 0
    }

    private func events(reading: Lane, writing: Lane, _ now: ContinuousClock.Instant) -> Int16 {
        let wantsWrite = writing.pieces.first.map { $0.due <= now } ?? false
        return (reading.hasRoom ? Int16(POLLIN) : 0) | (wantsWrite ? Int16(POLLOUT) : 0)
    }

    private func fill(_ lane: inout Lane, from source: CInt, due: ContinuousClock.Instant) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while lane.hasRoom {
            let count = read(source, &buffer, buffer.count)
            guard count > 0 else {
                if count == 0 || (errno != EAGAIN && errno != EINTR) { lane.sourceEnded = true }
                return
            }
            guard behaviour.mode == .pass else { continue }
            lane.pieces.append((due, buffer[..<count]))
            lane.queued += count
        }
    }

    private func deliver(_ lane: inout Lane, to sink: CInt, now: ContinuousClock.Instant, limit: Int) -> Int {
        var total = 0
        while let piece = lane.pieces.first, piece.due <= now, total < limit {
            let part = piece.bytes.prefix(limit - total)
            let count = part.withUnsafeBytes { send(sink, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            guard count > 0 else {
                if errno != EAGAIN && errno != EINTR {
                    lane.sourceEnded = true
                    lane.pieces = []
                }
                break
            }
            total += count
            lane.queued -= count
            lane.pieces[0].bytes = piece.bytes.dropFirst(count)
            if lane.pieces[0].bytes.isEmpty { lane.pieces.removeFirst() }
        }
        lane.moved += total
        return total
    }

    private static func makeNonblocking(_ descriptor: CInt) {
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        var yes: CInt = 1
        // Fails on Unix sockets, which need no such thing.
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<CInt>.size))
    }
}
