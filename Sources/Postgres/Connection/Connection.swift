import CLibpq
import DequeModule
package import EventLoops

/// One server connection.
///
/// Used by one holder at a time, on that holder's event loop: all calls but `connect` are made on the thread of the
/// loop given last (`attach(to:)` on hand-over). Statements do not overlap: one that is sent while a stream is open
/// is refused. When a deadline passes or the waiting task is cancelled, the statement is cancelled on the server and
/// its results are drained, so that the connection stays usable; where that fails, `isBroken` is true.
///
/// Safe: `@unchecked Sendable` because the pool hands it to one holder at a time, with the lock of the pool between.
package final class Connection: @unchecked Sendable {
    /// What occupies the connection.
    enum Activity: Equatable {
        /// Nothing: a statement may be sent.
        case idle
        /// A call that runs to its end before it returns.
        case statement
        /// A stream or a COPY that its holder advances; the number is in the holder, so that a stale one is noticed.
        case open(UInt64)
    }

    /// Time for the server to answer a cancel request and for the rest of the results to be read.
    static let grace: Duration = .seconds(5)

    /// libpq's handle; nil once closed.
    private(set) var handle: OpaquePointer?
    package private(set) var loop: EventLoop
    package let settings: ConnectionSettings
    let notices = NoticeSink()
    var activity = Activity.idle
    var openings: UInt64 = 0
    /// A transaction was open when the connection was taken last.
    var beganInTransaction = false
    var notifications: Deque<Notification> = []
    /// A replication stream was stopped here.
    var hasStreamed = false
    /// Plans that the server holds for this session.
    var statements = StatementCache(capacity: StatementCache.defaultCapacity)
    /// Set while a cancel request is on its way; nothing is sent before it has been delivered.
    var cancelRequest: Arrival<Void>?
    /// Why the connection cannot go on, though libpq may not know yet.
    private(set) var failure: PostgresError?

    /// Session state may have changed since the connect or the last reset: SET, LISTEN, temporary tables, advisory
    /// locks. A cheap guess from the text of the statements, on the safe side.
    package internal(set) var isDirty = false
    /// When the pool looked for signs of life.
    var lookedAt = MonotonicTime(nanoseconds: 0)
    /// The backend's process id; 0 before the connect is complete.
    package private(set) var pid: Int32 = 0

    /// Takes over `handle`, which may be in any state.
    init(handle: OpaquePointer, settings: ConnectionSettings, loop: EventLoop) {
        self.handle = handle
        self.settings = settings
        self.loop = loop
        notices.attach(to: handle)
    }

    deinit {
        if let handle { PQfinish(handle) }
    }

    /// Moves the connection to another loop; nothing may be running.
    package func attach(to loop: EventLoop) { self.loop = loop }

    /// Ends the session and frees everything, at once. Idempotent.
    package func close() {
        guard let handle else { return }
        self.handle = nil
        activity = .idle
        PQfinish(handle)
    }

    /// From here on every call fails with `error`.
    func fail(_ error: PostgresError) {
        if failure == nil { failure = error }
    }

    /// Notes what the server said about itself once the session is established.
    func noteEstablished(_ raw: OpaquePointer) { pid = PQbackendPID(raw) }
}

extension Connection {
    /// Closed, lost, or in a state that cannot be cleaned up.
    package var isBroken: Bool {
        guard let handle, failure == nil else { return true }
        return PQstatus(handle) != CONNECTION_OK
    }

    /// As in `150018`: 15.18.
    package var serverVersion: Int { handle.map { Int(PQserverVersion($0)) } ?? 0 }

    package var transactionStatus: TransactionStatus {
        guard let handle, failure == nil else { return .unknown }
        return TransactionStatus(PQtransactionStatus(handle))
    }

    /// The session is encrypted with TLS.
    package var usesTLS: Bool { handle.map { PQsslInUse($0) == 1 } ?? false }

    /// A parameter that the server reports by itself (`in_hot_standby`, `TimeZone`, `server_version`, …).
    package func parameter(_ name: String) -> String? {
        handle.flatMap { PQparameterStatus($0, name) }.map { String(cString: $0) }
    }

    /// Host, port and database that libpq chose, as in `db1:5432/shop`; without user and password.
    package var peer: String {
        guard let handle, let host = PQhost(handle), let port = PQport(handle), let database = PQdb(handle) else {
            return "closed connection"
        }
        return "\(String(cString: host)):\(String(cString: port))/\(String(cString: database))"
    }

    /// Gets NOTICE, WARNING and the like, in order, on the loop's thread; nil ignores them. Never printed.
    package var onNotice: ((ServerError) -> Void)? {
        get { notices.handler }
        set { notices.handler = newValue }
    }

    /// libpq's handle, or why there is none any more.
    func raw() throws(PostgresError) -> OpaquePointer {
        if let failure { throw failure }
        guard let handle else { throw .unusable(reason: "the connection is closed") }
        return handle
    }
}
