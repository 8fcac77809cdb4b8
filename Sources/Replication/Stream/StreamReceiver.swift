import EventLoops
import Glibc
import Postgres
import PostgresProtocol

/// Receives a replication stream on a thread of its own, so that neither Lua nor the target keeps it from answering the
/// server.
// Safe: what is not constant is used on the receiver's loop only.
final class StreamReceiver: @unchecked Sendable {
    /// A server that asks gets its answer after this at the latest, and whoever waits for more to come what there is.
    private static let tick: Duration = .milliseconds(250)
    /// Between two reports without news.
    private static let reportInterval: Duration = .seconds(10)
    /// Without a word from the server for so long it is asked, and given up after twice that.
    private static let silence: Duration = .seconds(30)

    let mailbox = StreamMailbox()
    private let actor = LoopActor(EventLoop(name: "receiver"))
    private let settings: ConnectionSettings
    private var request: StreamRequest
    /// The slot is the receiver's own: made at the start, gone with its connection.
    private let isTemporary: Bool
    private var stream: ReplicationStream?
    private var connection: Connection?
    /// Nil while nothing is read, as what came is not applied yet.
    private var heardAt: ContinuousClock.Instant? = .now
    private var reportedAt = ContinuousClock.now
    private var reported = LSN.zero
    private var tasks: [Task<Void, Never>] = []

    init(_ settings: ConnectionSettings, _ request: StreamRequest, isTemporary: Bool = false) {
        self.settings = settings
        self.request = request
        self.isTemporary = isTemporary
    }

    /// Connects and begins to receive; from now on, if the slot is a temporary one.
    func start(until deadline: ContinuousClock.Instant) async throws(ReplicationError) {
        do throws(PostgresError) {
            try await actor.run { [self] actor throws(PostgresError) in
                let connection = try await Connection.connectForReplication(
                    settings, purpose: isTemporary ? "tap" : "stream", on: actor.loop, until: deadline)
                self.connection = connection
                if isTemporary {
                    let slot = try await connection.createReplicationSlot(
                        request.slot, isTemporary: true, exportsSnapshot: false)
                    request.start = slot.consistentPoint
                }
                stream = try await connection.startReplication(request, until: max(deadline, .now + .seconds(10)))
                reported = request.start
                mailbox.confirm(request.start)
                tasks = [actor.begin { await self.receive() }, actor.begin { await self.report() }]
            }
        } catch {
            await actor.run { [self] _ in connection?.close() }
            actor.loop.stop()
            throw .database(.source, error, doing: "starting the stream of slot \"\(request.slot)\"")
        }
    }

    /// Tells the server how far we are, and ends.
    func stop() async {
        mailbox.close()
        await LoopActor.runShielded(on: actor.loop) { [self] _ in
            for task in tasks { task.cancel() }
            for task in tasks { await task.value }
            await send(requestsReply: false, until: .now + .seconds(1))
            await stream?.stop(until: .now + .seconds(1))
            connection?.close()
            stream = nil
        }
        actor.loop.stop()
    }

    // MARK: Receiving

    private func receive() async {
        guard let stream else { return }
        do throws(PostgresError) {
            while !mailbox.isClosed {
                let block = MessageBlock()
                try take(try await stream.next(), into: block)
                while !block.isFull, let message = try stream.nextAvailable() { try take(message, into: block) }
                if mailbox.put(block) { pause() }
                heardAt = nil
                await mailbox.waitForRoom()
                heardAt = .now
            }
        } catch {
            mailbox.fail(failure(error))
        }
    }

    private func failure(_ error: PostgresError) -> ReplicationError {
        // Of PostgreSQL 18 and later it is a warning.
        guard case .server(let server) = error, server.sqlstate == "42704" || server.severity == "WARNING" else {
            return .database(.source, error, doing: "receiving changes")
        }
        return .mismatch(
            code: "RH3608",
            "the source has no publication for these changes, and does not send them: \(server.message)",
            hint: "It was dropped before they were made. " + SlotState.beginAnew)
    }

    /// Lets a few messages come, to be read together: some hundred, which is what a socket holds of a server that sends
    /// them one by one. The thread is the receiver's own, and sleeps with more precision than its loop.
    private func pause() { usleep(500) }

    private func take(_ message: UnsafeRawBufferPointer, into block: MessageBlock) throws(PostgresError) {
        heardAt = .now
        do throws(LogicalMessageError) {
            let frame = try StreamFrame(decoding: message)
            block.append(frame)
            switch frame {
            case .data(let data): mailbox.note(serverEnd: max(data.serverEnd, data.start))
            case .keepalive(let keepalive):
                mailbox.note(serverEnd: keepalive.serverEnd)
                if keepalive.isReplyRequested { reportedAt = .now - Self.reportInterval }
            }
        } catch {
            throw .unexpected("\(error)")
        }
    }

    // MARK: Reporting

    /// Whatever anybody else does, the server hears of us.
    private func report() async {
        while !Task.isCancelled, !mailbox.isClosed {
            do { try await actor.loop.sleep(until: .now + Self.tick) } catch { return }
            mailbox.ringPatientReader()
            let now = ContinuousClock.now
            let silence = heardAt.map { now - $0 } ?? .zero
            if silence > Self.silence * 2 {
                return mailbox.fail(
                    .database(
                        .source, .connectionLost(reason: "the server is silent", sqlstate: nil),
                        doing: "receiving changes"))
            }
            let isSilent = silence > Self.silence
            // While nothing is read we do not see what the server asks.
            let isDeaf = heardAt == nil
            guard isSilent || isDeaf || mailbox.flushed > reported || now - reportedAt >= Self.reportInterval
            else { continue }
            await send(requestsReply: !isDeaf, until: now + Self.silence)
        }
    }

    private func send(requestsReply: Bool, until deadline: ContinuousClock.Instant) async {
        guard let stream else { return }
        let flushed = mailbox.flushed
        let status = StandbyStatus(
            written: flushed, flushed: flushed, applied: flushed, clientTime: Self.clock, requestsReply: requestsReply)
        // A connection that is lost is noticed by whoever reads.
        guard (try? await stream.send(status, until: deadline)) != nil else { return }
        reported = flushed
        reportedAt = .now
    }

    /// Microseconds from 2000 on.
    private static var clock: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return (Int64(now.tv_sec) - 946_684_800) * 1_000_000 + Int64(now.tv_nsec) / 1000
    }
}
