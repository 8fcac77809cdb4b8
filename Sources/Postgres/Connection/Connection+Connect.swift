import CLibpq
package import EventLoops
import Glibc

extension Connection {
    /// Opens a session. Names are looked up on a helper thread; everything else waits on `loop`.
    ///
    /// `connect_timeout` of the settings (10 s if not set) counts for each address, `deadline` for all of it.
    package static func connect(
        _ settings: ConnectionSettings, on loop: EventLoop, until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> Connection {
        guard SessionDefaults.areInEnvironment else { throw .unexpected("the environment cannot be changed") }
        var hosts = settings
        while true {
            let handle = try await startHandle(hosts, on: loop, until: deadline)
            let connection = Connection(handle: handle.raw, settings: settings, loop: loop)
            do {
                try await connection.establish(until: deadline)
                try await connection.applySessionDefaults(until: deadline)
                return connection
            } catch {
                let rest = connection.hostsAfter(error, in: hosts, until: deadline)
                connection.close()
                guard let rest else { throw error }
                hosts = rest
            }
        }
    }

    /// libpq goes on to the next host when one cannot be reached, but not when one takes the connection and is silent
    /// then: what is left to try in this case, nil in any other.
    private func hostsAfter(
        _ error: PostgresError, in hosts: ConnectionSettings, until deadline: ContinuousClock.Instant?
    ) -> ConnectionSettings? {
        guard case .timedOut = error, deadline.map({ ContinuousClock.now < $0 }) ?? true, let handle,
            let host = PQhost(handle), let port = PQport(handle)
        else { return nil }
        return hosts.skippingHosts(through: String(cString: host), port: String(cString: port))
    }

    /// Starts the connect where it may block. When time runs out first, the helper's late result is thrown away.
    private static func startHandle(
        _ settings: ConnectionSettings, on loop: EventLoop, until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> StartedHandle {
        let arrival = Arrival<StartedHandle?>()
        let abandoned = Flag()
        let parameters = settings.startParameters
        let work = Task {
            await LoopActor.runShielded(on: loop) { _ in
                let started = await loop.offload { StartedHandle(parameters) }
                if abandoned.isSet, let started { PQfinish(started.raw) } else { arrival.deliver(started) }
            }
        }
        guard let started = await arrival.wait(on: loop, until: deadline) else {
            abandoned.isSet = true
            throw Task.isCancelled ? .cancelled : .timedOut(what: "looking up the host")
        }
        _ = work
        guard let started else { throw .unexpected("libpq is out of memory") }
        return started
    }

    /// Drives libpq's connect to its end.
    private func establish(until deadline: ContinuousClock.Instant?) async throws(PostgresError) {
        let raw = try self.raw()
        // Verbose messages hold the SQLSTATE, which libpq keeps nowhere else.
        PQsetErrorVerbosity(raw, PQERRORS_VERBOSE)
        var attempt = AddressAttempt(settings: settings, raw: raw)
        var polling = PQstatus(raw) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING
        while polling != PGRES_POLLING_OK {
            guard polling != PGRES_POLLING_FAILED else { throw connectFailure(raw, attempt) }
            try await waitForConnect(polling == PGRES_POLLING_READING ? .readable : .writable, &attempt, deadline)
            polling = await poll(raw)
            attempt.follow(raw)
        }
        PQsetErrorVerbosity(raw, PQERRORS_DEFAULT)
        PQsetnonblocking(raw, 1)
        noteEstablished(raw)
    }

    /// With several hosts libpq looks the next one up inside PQconnectPoll.
    private func poll(_ raw: OpaquePointer) async -> PostgresPollingStatusType {
        guard settings.hasSeveralHosts else { return PQconnectPoll(raw) }
        let handle = StartedHandle(raw: raw)
        return await loop.offload { PQconnectPoll(handle.raw) }
    }

    /// The socket may be another one after each poll. An address that does not answer in time is shut down, which
    /// makes libpq try the next one.
    private func waitForConnect(
        _ event: SocketEvent, _ attempt: inout AddressAttempt, _ deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) {
        let socket = PQsocket(try raw())
        guard socket >= 0 else { return }
        let limit = [attempt.deadline, deadline].compactMap { $0 }.min()
        do {
            try await loop.wait(for: event, on: socket, until: limit)
        } catch .timedOut {
            if let deadline, ContinuousClock.now >= deadline { throw .timedOut(what: "connecting to \(peer)") }
            attempt.giveUp()
            shutdown(socket, CInt(SHUT_RDWR))
        } catch {
            throw Self.error(for: error, what: "connecting")
        }
    }

    private func connectFailure(_ raw: OpaquePointer, _ attempt: AddressAttempt) -> PostgresError {
        let text = PQerrorMessage(raw).map { String(cString: $0) } ?? ""
        let failure = ConnectMessage(libpqMessage: settings.redacted(text))
        if attempt.gaveUp, failure.sqlstate == nil { return .timedOut(what: "connecting to \(peer)") }
        return .connectFailed(reason: failure.reason, sqlstate: failure.sqlstate)
    }

    /// Sets what the startup packet could not. No round trip if the server agrees already. A walsender without a
    /// database runs no SQL, and sends no values.
    func applySessionDefaults(until deadline: ContinuousClock.Instant?) async throws(PostgresError) {
        guard (settings["replication"] ?? "database") == "database",
            let sql = SessionDefaults.correction(for: try raw())
        else { return }
        try await command(sql, until: deadline)
    }
}

/// The time that is left for the address that libpq is trying.
private struct AddressAttempt {
    private let timeout: Duration?
    private var address: String
    private(set) var deadline: ContinuousClock.Instant?
    /// The current or last address did not answer in time.
    private(set) var gaveUp = false

    init(settings: ConnectionSettings, raw: OpaquePointer) {
        timeout = settings.connectTimeout
        address = Self.address(raw)
        deadline = timeout.map { ContinuousClock.now + $0 }
    }

    /// Starts the time anew if libpq went on to another address.
    mutating func follow(_ raw: OpaquePointer) {
        let current = Self.address(raw)
        guard current != address else { return }
        address = current
        gaveUp = false
        deadline = timeout.map { ContinuousClock.now + $0 }
    }

    mutating func giveUp() {
        gaveUp = true
        deadline = timeout.map { ContinuousClock.now + $0 }
    }

    private static func address(_ raw: OpaquePointer) -> String {
        [PQhost(raw), PQhostaddr(raw), PQport(raw)].map { $0.map { String(cString: $0) } ?? "" }.joined(separator: " ")
    }
}

/// libpq's handle on its way between the helper thread and the loop.
///
/// Safe: only one of them uses it at a time.
struct StartedHandle: @unchecked Sendable {
    let raw: OpaquePointer

    init(raw: OpaquePointer) { self.raw = raw }

    /// Blocks while names are looked up. Nil only if memory is out.
    init?(_ parameters: [(keyword: String, value: String)]) {
        var keywords = parameters.map { UnsafePointer(strdup($0.keyword)) } + [nil]
        var values = parameters.map { UnsafePointer(strdup($0.value)) } + [nil]
        defer { for text in keywords + values { free(UnsafeMutablePointer(mutating: text)) } }
        guard let raw = PQconnectStartParams(&keywords, &values, 0) else { return nil }
        self.raw = raw
    }
}

/// Safe: read and written on one loop's thread only.
private final class Flag: @unchecked Sendable {
    var isSet = false
}
