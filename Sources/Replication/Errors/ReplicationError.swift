package import Postgres
package import PostgresProtocol

/// What can go wrong between two databases.
package enum ReplicationError: Error, Sendable {
    package enum Side: String, Sendable {
        case source
        case target
    }

    /// A statement or connection failed; `doing` as "copying public.orders to dw.orders".
    case database(Side, PostgresError, doing: String)
    case pool(Side, PoolError)
    /// A row failed in the script's function.
    case transform(TransformFailure)
    /// The declaration does not fit what is in the databases. `hint` is a full sentence.
    case mismatch(code: String, String, hint: String?)
    case unknownTable(QualifiedName, Side, known: [QualifiedName])
    case unknownColumn(String, of: QualifiedName, Side, known: [String])
    /// COPY data that cannot be read.
    case damaged(CopyError, table: QualifiedName)
    /// What was copied of a table of the source is of no use, and has to be copied anew. `why` goes on after its name.
    case stale(QualifiedName, why: String)
    case cancelled
}

/// Why a row could not be transformed, as facts; Lua's own objects stay in Lua.
package struct TransformFailure: Error, Sendable {
    /// Stable name of the kind of error.
    package var code: String
    package var message: String
    package var hint: String?
    package var details: String?
    /// "file:line" of the raise.
    package var position: String?
    package var traceback: String
    package var table: QualifiedName
    /// Columns that say which row it was, with the values as text; nil is NULL.
    package var key: [(column: String, value: String?)]
    /// What the function was called for, if that was no row.
    package var subject: String?
    /// The script was stopped from outside.
    package var isInterrupt: Bool

    package init(
        code: String, message: String, hint: String? = nil, details: String? = nil, position: String? = nil,
        traceback: String = "", table: QualifiedName, key: [(column: String, value: String?)] = [],
        subject: String? = nil, isInterrupt: Bool = false
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.details = details
        self.position = position
        self.traceback = traceback
        self.table = table
        self.key = key
        self.subject = subject
        self.isInterrupt = isInterrupt
    }
}

extension ReplicationError: CustomStringConvertible {
    /// One line, without a hint.
    package var description: String {
        switch self {
        case .database(let side, let error, let doing): "\(doing): \(side): \(error)"
        case .pool(let side, let error): "\(side): \(error)"
        case .transform(let failure): "\(failure.table): \(failure.message)"
        case .mismatch(_, let message, _): message
        case .unknownTable(let name, let side, _): "there is no table \(name) in the \(side)"
        case .unknownColumn(let name, let table, let side, _): "no column \"\(name)\" in \(table) of the \(side)"
        case .damaged(let error, let table): "\(table): \(error)"
        case .stale(let table, let why): "\(table) \(why)"
        case .cancelled: "cancelled"
        }
    }
}

extension ReplicationError {
    /// Trying again later, with new connections, may succeed: lost connections, servers that start or stop, deadlocks.
    package var isTransient: Bool {
        switch self {
        case .database(_, let error, _): error.isRetryable || error.isConnectionLoss
        case .pool(_, let error): error.isTransient
        case .stale: true
        case .transform, .mismatch, .unknownTable, .unknownColumn, .damaged, .cancelled: false
        }
    }
}

extension ReplicationError {
    /// Somebody has had a lock for too long, or has waited for one of ours.
    var isAboutLocks: Bool {
        if case .database(_, let error, _) = self { error.isLockTimeout || error.sqlstate == "40P01" } else { false }
    }

    /// The table of the target in which rows contradict each other: in a unique index or an exclusion constraint.
    var contradiction: QualifiedName? {
        guard case .database(.target, .server(let error), _) = self, let table = error.table,
            error.sqlstate == "23505" || error.sqlstate == "23P01"
        else { return nil }
        return QualifiedName(schema: error.schema, name: table)
    }

    static func torn(_ table: QualifiedName) -> ReplicationError {
        .stale(table, why: "was copied at different moments, between which unique values have moved from row to row")
    }
}

extension PostgresError {
    /// Of `lock_timeout`.
    var isLockTimeout: Bool { sqlstate == "55P03" }

    fileprivate var isConnectionLoss: Bool {
        switch self {
        case .connectionLost, .connectFailed: true
        default: false
        }
    }
}

extension PoolError {
    fileprivate var isTransient: Bool {
        switch self {
        case .timedOut, .unavailable: true
        default: false
        }
    }
}
