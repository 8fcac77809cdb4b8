/// What a pool asks its owner. All are called on the pool's own event loop unless said otherwise.
package struct PoolHooks: Sendable {
    /// Where and how to connect, asked before every connect: credentials may rotate.
    package var settings: @Sendable () async throws(PostgresError) -> ConnectionSettings
    /// Prepares a new session; also called after a reset, which undoes what it had set. It may attach the connection
    /// to another loop meanwhile. An error makes the connect fail.
    package var onConnect: (@Sendable (Connection) async throws(PostgresError) -> Void)?
    /// Gets what nobody is waiting to hear. Leaks are told on the borrower's loop; from any thread otherwise.
    package var onWarning: @Sendable (PoolWarning) -> Void = { _ in }

    package init(settings: @escaping @Sendable () async throws(PostgresError) -> ConnectionSettings) {
        self.settings = settings
    }

    /// The same settings for every connection.
    package init(_ settings: ConnectionSettings) {
        self.settings = { () async throws(PostgresError) in settings }
    }
}

/// Something worth a line in the log.
package enum PoolWarning: Sendable, Equatable {
    /// A lease has been held for `age`.
    case leak(site: String, age: Duration, BorrowSite.Inspection)
    /// A lease came back because nobody held it any more.
    case forgotten(site: String)
    /// Connecting began to fail; told once per outage.
    case connectFailed(ConnectFailure)
}

extension PoolWarning: CustomStringConvertible {
    package var description: String {
        switch self {
        case .leak(let site, let age, let inspection):
            "connection borrowed at \(site) has been in use for \(age.shortSeconds)"
                + (inspection.lastSQL.map { ", last statement: \($0)" } ?? "")
                + (inspection.traceback.map { "\n\($0)" } ?? "")
        case .forgotten(let site):
            "connection borrowed at \(site) was never returned; nothing holds it any more"
        case .connectFailed(let failure):
            "cannot connect: \(failure.summary)"
        }
    }
}
