/// Why a connection could not be made, as far as the pool has to judge it. Holds no secrets.
package struct ConnectFailure: Sendable, Equatable {
    /// One line, from libpq or the server.
    package let message: String
    package let sqlstate: String?
    /// Trying again without a change of settings cannot help: wrong password, unknown database, bad host name.
    package let isPermanent: Bool

    package init(message: String, sqlstate: String? = nil, isPermanent: Bool? = nil) {
        self.message = message
        self.sqlstate = sqlstate
        self.isPermanent = isPermanent ?? Self.isPermanent(message: message, sqlstate: sqlstate)
    }

    /// The message with its SQLSTATE, as errors show it.
    package var summary: String {
        guard let sqlstate else { return message }
        return message.contains(sqlstate) ? message : "\(message) (SQLSTATE \(sqlstate))"
    }

    package init(_ error: PostgresError) {
        switch error {
        case .connectFailed(let reason, let sqlstate):
            self.init(message: reason, sqlstate: sqlstate)
        case .invalidSettings, .unknownSetting:
            self.init(message: error.description, isPermanent: true)
        case .connectionLost, .server, .timedOut, .cancelled, .unusable, .invalidParameter, .parameterCount,
            .resultTooLarge, .commitRolledBack, .pipelineAborted, .unexpected:
            self.init(message: error.description, sqlstate: error.sqlstate)
        }
    }

    private static func isPermanent(message: String, sqlstate: String?) -> Bool {
        if let sqlstate {
            return sqlstate.hasPrefix("28") || sqlstate == "3D000" || sqlstate == "42501"
        }
        return permanentReasons.contains { message.contains($0) }
    }

    /// libpq's words for faults that never reached a server, and the server's for those libpq 15 gives no SQLSTATE of.
    private static let permanentReasons = [
        "could not translate host name", "invalid connection option", "invalid port number",
        "missing \"=\" after", "password authentication failed", "no password supplied",
        "no pg_hba.conf entry", "server does not support SSL", "certificate verify failed",
    ]
}
