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

    /// A full sentence that says what helps, or nil.
    var hint: String? {
        switch sqlstate {
        case "28P01": "Check user and password; the password may also be in ~/.pgpass or PGPASSWORD."
        case "28000": "Check the user, and what the server's pg_hba.conf allows it."
        case "3D000": "Check dbname (without one it is the user's name), or create the database."
        case "42501": "GRANT CONNECT ON DATABASE … TO …, as its owner, lets the user in."
        case "53300": "Lower \"max\", close other sessions, or raise the server's max_connections."
        case nil where message.contains("no password supplied"):
            "Put the password into ~/.pgpass, PGPASSWORD or the connection string."
        case nil where message.contains("no pg_hba.conf entry"):
            "Let the user in by a line of the server's pg_hba.conf."
        case nil where message.contains("server does not support SSL"):
            "sslmode=prefer also connects without encryption, or switch the server's ssl on."
        default: nil
        }
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
