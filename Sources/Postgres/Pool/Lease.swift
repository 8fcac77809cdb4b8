/// The right to use a connection until it is given back. What scripts hold.
///
/// Also what an `on_connect` hook is shown of a new connection, which stays the pool's.
///
/// Used on the event loop it was borrowed on. Dropped without being returned, it goes back by itself with a warning.
// Safe: one holder at a time, on one event loop; the pool sees it only when it is given back.
package final class Lease: @unchecked Sendable {
    private enum State {
        case held(Connection)
        /// Final; where it was given back.
        case returned(at: BorrowSite?)
        case shown(Connection)
        /// Final; the hook has ended.
        case wasShown
    }

    /// Nil for a hook's connection.
    package let pool: ConnectionPool?
    /// Where it was borrowed.
    package let site: BorrowSite
    let id: ConnectionID
    private var state: State
    /// A statement failed in a way that the pool has to know of.
    private var isRoleInDoubt = false

    /// Code that was stopped has left a transaction open: to be rolled back before the next statement.
    package var abandoned: AbandonedTransaction?

    init(_ connection: Connection, _ id: ConnectionID, of pool: ConnectionPool, site: BorrowSite) {
        self.pool = pool
        self.site = site
        self.id = id
        state = .held(connection)
    }

    /// Shows a connection to a hook, until `endShowing`.
    package init(showing connection: Connection) {
        pool = nil
        site = .unknown
        id = ConnectionID(slot: -1, serial: 0)
        state = .shown(connection)
    }

    package func endShowing() { state = .wasShown }

    deinit {
        guard case .held(let connection) = state else { return }
        pool?.reclaim(connection, id, site: site)
    }

    /// The connection, while the lease lasts.
    package var connection: Connection {
        get throws(PoolError) {
            switch state {
            case .held(let connection), .shown(let connection): return connection
            case .wasShown: throw .hookEnded
            case .returned(let place):
                throw .usedAfterReturn(borrowed: site.description, returned: Self.describe(place))
            }
        }
    }

    /// False once the connection is somebody else's: what was begun on it is the pool's to end.
    package var isHeld: Bool {
        switch state {
        case .held, .shown: true
        case .returned, .wasShown: false
        }
    }

    /// To be told of each statement's error: "cannot execute … in a read-only transaction" (25006) on a connection
    /// that was asked to be writable means that the server's role has changed; a lost one, that others may be, too.
    package func note(_ error: PostgresError) {
        if error.tellsOfLoss { pool?.reportLoss() }
        if error.sqlstate == "25006", pool?.needsRole == true { isRoleInDoubt = true }
    }

    /// Ends the lease; nil when it has ended before.
    func end(at site: BorrowSite?) -> (connection: Connection, isRoleInDoubt: Bool)? {
        guard case .held(let connection) = state else { return nil }
        state = .returned(at: site)
        return (connection, isRoleInDoubt)
    }

    /// Why a second return is refused.
    var alreadyReturned: PoolError {
        guard case .returned(let place) = state else { return .foreignConnection(borrowed: site.description) }
        return .alreadyReturned(borrowed: site.description, returned: Self.describe(place))
    }

    private static func describe(_ place: BorrowSite?) -> String { place?.description ?? "the end of its scope" }
}

package enum AbandonedTransaction: Sendable {
    case whole
    /// Up to this savepoint.
    case savepoint(String)
}

extension Connection {
    package func rollBack(_ transaction: AbandonedTransaction) async throws(PostgresError) {
        guard transactionStatus == .inTransaction || transactionStatus == .inError else { return }
        switch transaction {
        case .whole: try await rollback()
        case .savepoint(let name): try await rollback(to: name)
        }
    }
}

extension PostgresError {
    /// The server ends or has ended: connection lost, 57P01, 57P02, 57P03, class 08.
    fileprivate var tellsOfLoss: Bool {
        if case .connectionLost = self { return true }
        guard let sqlstate else { return false }
        return sqlstate.hasPrefix("08") || ["57P01", "57P02", "57P03"].contains(sqlstate)
    }
}
