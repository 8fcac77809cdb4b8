import CLibpq

/// The keywords that libpq takes, and what can be checked about their values without a server.
enum ConnectionKeyword {
    /// As the libpq in use lists them.
    static let all: Set<String> = {
        var keywords: Set<String> = []
        guard let options = PQconndefaults() else { return keywords }
        defer { PQconninfoFree(options) }
        var index = 0
        while let keyword = options[index].keyword {
            keywords.insert(String(cString: keyword))
            index += 1
        }
        return keywords
    }()

    /// `all` and the aliases, sorted: for "did you mean".
    static let names: [String] = (Array(all) + aliases.keys).sorted()

    static let secrets: Set<String> = ["password", "sslpassword"]

    private static let aliases = ["database": "dbname", "username": "user", "pass": "password"]

    static func canonical(_ keyword: String) -> String { aliases[keyword] ?? keyword }

    /// Refuses what libpq would refuse later in words that may quote parts of a password.
    static func check(_ keyword: String, _ value: String) throws(PostgresError) {
        if value.utf8.contains(0) {
            throw .invalidSettings(reason: "\"\(keyword)\" contains a zero byte", hint: nil)
        }
        switch keyword {
        case "port": try checkPorts(value)
        case "connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count",
            "tcp_user_timeout":
            guard value.isEmpty || Int(value) != nil else {
                throw .invalidSettings(reason: "\"\(keyword)\" is not a whole number", hint: nil)
            }
        default: try checkChoice(keyword, value)
        }
    }

    private static func checkPorts(_ value: String) throws(PostgresError) {
        for port in value.split(separator: ",") {
            guard let number = Int(port), (1...65535).contains(number) else {
                throw .invalidSettings(
                    reason: "\"port\" is not a number from 1 to 65535",
                    hint: "In a URL, write \"/\", \":\", \"@\" and \"%\" of a password as %2F, %3A, %40 and %25.")
            }
        }
    }

    private static let choices: [String: [String]] = [
        "sslmode": ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"],
        "target_session_attrs": ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"],
        "gssencmode": ["disable", "prefer", "require"],
        "channel_binding": ["disable", "prefer", "require"],
    ]

    private static func checkChoice(_ keyword: String, _ value: String) throws(PostgresError) {
        guard let allowed = choices[keyword], !value.isEmpty, !allowed.contains(value) else { return }
        throw .invalidSettings(
            reason: "\"\(keyword)\" is none of \(allowed.joined(separator: ", "))", hint: nil)
    }
}
