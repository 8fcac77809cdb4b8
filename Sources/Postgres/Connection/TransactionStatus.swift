import CLibpq

/// What the server last said about the session's transaction.
package enum TransactionStatus: Sendable, Equatable {
    /// No transaction is open.
    case idle
    /// A statement runs.
    case active
    /// A transaction is open and can go on.
    case inTransaction
    /// A statement of the open transaction failed: only ROLLBACK (also to a savepoint) is taken.
    case inError
    /// The connection is bad.
    case unknown

    init(_ status: PGTransactionStatusType) {
        switch status {
        case PQTRANS_IDLE: self = .idle
        case PQTRANS_ACTIVE: self = .active
        case PQTRANS_INTRANS: self = .inTransaction
        case PQTRANS_INERROR: self = .inError
        default: self = .unknown
        }
    }
}
