import LuaRuntime
import Postgres

extension ScriptError {
    /// A server's or connection's error as scripts see it (a PgError).
    init(_ error: PostgresError) {
        guard case .server(let server) = error else {
            self.init(
                code: Self.code(error), error.description, hint: error.hint ?? Self.suggestion(error),
                fields: ["retryable": .boolean(error.isRetryable)])
            if let sqlstate = error.sqlstate { fields["sqlstate"] = .string(sqlstate) }
            return
        }
        self.init(code: "RH2201", server.message, hint: server.hint, details: server.details, fields: server.fields)
        fields["retryable"] = .boolean(server.isRetryable)
    }

    private static func suggestion(_ error: PostgresError) -> String? {
        guard case .unknownSetting(let name, let known) = error else { return nil }
        return Suggestion.nearest(to: name, among: known).map { "Did you mean \"\($0)\"?" }
    }

    private static func code(_ error: PostgresError) -> String {
        switch error {
        case .server: "RH2201"
        case .connectFailed: "RH2202"
        case .connectionLost: "RH2203"
        case .timedOut: "RH2204"
        case .cancelled: "RH2205"
        case .resultTooLarge: "RH2206"
        case .invalidSettings, .unknownSetting: "RH2207"
        case .invalidParameter, .parameterCount: "RH2208"
        case .unusable, .commitRolledBack, .pipelineAborted, .unexpected: "RH2209"
        }
    }

    init(_ error: PoolError) {
        self.init(code: Self.code(error), error.description, hint: error.hint)
        fields["sqlstate"] = error.failure?.sqlstate.map { .string($0) }
    }

    private static func code(_ error: PoolError) -> String {
        switch error {
        case .timedOut, .tooManyWaiting: "RH2301"
        case .unavailable, .rejected: "RH2302"
        case .selfDeadlock: "RH2303"
        case .closed, .leaseAborted: "RH2304"
        case .cancelled: "RH2205"
        case .alreadyReturned, .usedAfterReturn, .foreignConnection, .hookEnded: "RH2305"
        case .invalidOption: "RH2306"
        }
    }
}

extension PoolError {
    fileprivate var failure: ConnectFailure? {
        switch self {
        case .timedOut(let facts), .tooManyWaiting(_, let facts): facts.lastFailure
        case .unavailable(let failure, _), .rejected(let failure): failure
        default: nil
        }
    }
}

extension ServerError {
    /// The lines below the message: the caret, then what PostgreSQL adds.
    fileprivate var details: String? {
        let lines = rendered.split(separator: "\n", omittingEmptySubsequences: false).dropFirst()
        return lines.isEmpty ? nil : lines.joined(separator: "\n")
    }

    fileprivate var fields: [String: ScriptError.Field] {
        let texts: [(String, String?)] = [
            ("sqlstate", sqlstate), ("severity", severity), ("detail", detail), ("hint", hint),
            ("constraint", constraint), ("schema", schema), ("table", table), ("column", column), ("query", query),
            ("context", context),
        ]
        var fields: [String: ScriptError.Field] = [:]
        for (name, text) in texts { fields[name] = text.map { .string($0) } }
        if let position { fields["position"] = .integer(Int64(position)) }
        return fields
    }
}
