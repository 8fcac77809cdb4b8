/// What can go wrong between this process and a PostgreSQL server.
package enum PostgresError: Error, Sendable, Equatable {
    /// The settings cannot be used; no connection was tried. `reason` never quotes a password.
    case invalidSettings(reason: String, hint: String?)
    /// A setting that libpq does not know. `known` lists the keywords it does know.
    case unknownSetting(name: String, known: [String])
    /// No session was established. `sqlstate` is set when a server answered and refused.
    case connectFailed(reason: String, sqlstate: String?)
    /// An established session is gone. `sqlstate` is set when the server said why (57P01 and the like).
    case connectionLost(reason: String, sqlstate: String?)
    /// The server refused a statement; the connection goes on.
    indirect case server(ServerError)
    /// The deadline passed; `what` names the step. A statement that ran was cancelled on the server.
    case timedOut(what: String)
    /// The waiting task was cancelled. A statement that ran was cancelled on the server.
    case cancelled
    /// The connection is not in a state for this call: closed, busy with a stream, event loop stopped.
    case unusable(reason: String)
    /// The `index`-th parameter ($1 is 1) cannot be sent.
    case invalidParameter(index: Int, reason: String)
    /// More or fewer parameters than the statement has.
    case parameterCount(expected: Int, given: Int)
    /// A collected result did not fit; the statement was cancelled and the connection goes on.
    case resultTooLarge(bytes: Int)
    /// A COMMIT that the server answered with ROLLBACK, because a statement before it had failed.
    case commitRolledBack
    /// Not run, because a statement before it in the pipeline failed.
    case pipelineAborted
    /// libpq or the server answered with something that this call does not expect.
    case unexpected(String)
}

extension PostgresError {
    /// The five characters of the SQLSTATE, where a server gave one.
    package var sqlstate: String? {
        switch self {
        case .server(let error): error.sqlstate
        case .connectFailed(_, let sqlstate), .connectionLost(_, let sqlstate): sqlstate
        case .commitRolledBack: "40000"
        case .invalidSettings, .unknownSetting, .timedOut, .cancelled, .unusable, .invalidParameter, .parameterCount,
            .resultTooLarge, .pipelineAborted, .unexpected:
            nil
        }
    }

    /// Running the same transaction again may succeed: serialization failures, deadlocks, lost connections.
    package var isRetryable: Bool {
        switch self {
        case .server(let error): error.isRetryable
        case .connectionLost, .connectFailed: ServerError.isRetryable(sqlstate: sqlstate ?? "08006")
        case .invalidSettings, .unknownSetting, .timedOut, .cancelled, .unusable, .invalidParameter, .parameterCount,
            .resultTooLarge, .commitRolledBack, .pipelineAborted, .unexpected:
            false
        }
    }
}

extension PostgresError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .invalidSettings(let reason, _): "invalid connection settings: \(reason)"
        case .unknownSetting(let name, _): "unknown connection setting \"\(name)\""
        case .connectFailed(let reason, let sqlstate): Self.with(sqlstate, "could not connect: \(reason)")
        case .connectionLost(let reason, let sqlstate): Self.with(sqlstate, "connection lost: \(reason)")
        case .server(let error): error.description
        case .timedOut(let what): "timed out: \(what)"
        case .cancelled: "cancelled"
        case .unusable(let reason): reason
        case .invalidParameter(let index, let reason): "parameter $\(index): \(reason)"
        case .parameterCount(let expected, let given):
            "the statement has \(expected) parameter\(expected == 1 ? "" : "s"), \(given) given"
        case .resultTooLarge(let bytes): "the result does not fit into memory: refused at \(bytes) bytes"
        case .commitRolledBack: "the transaction was rolled back: a statement before COMMIT had failed"
        case .pipelineAborted: "not run: a statement before it in the pipeline failed"
        case .unexpected(let what): "unexpected answer: \(what)"
        }
    }

    /// A full sentence that says what helps, or nil.
    package var hint: String? {
        switch self {
        case .invalidSettings(_, let hint): hint
        case .server(let error): error.hint
        case .connectFailed: ConnectFailure(self).hint
        case .resultTooLarge: "Stream the rows instead of collecting them, or select fewer."
        case .unknownSetting, .connectionLost, .timedOut, .cancelled, .unusable, .invalidParameter, .parameterCount,
            .commitRolledBack, .pipelineAborted, .unexpected:
            nil
        }
    }

    private static func with(_ sqlstate: String?, _ text: String) -> String {
        guard let sqlstate else { return text }
        return "\(text) (SQLSTATE \(sqlstate))"
    }
}
