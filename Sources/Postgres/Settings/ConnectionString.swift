import CLibpq

/// Reads URLs and conninfo strings with libpq's own parser, and words its complaints without quoting the input,
/// of which any part may be a password.
enum ConnectionString {
    static func parse(_ text: String) throws(PostgresError) -> [(keyword: String, value: String)] {
        if text.utf8.contains(0) {
            throw .invalidSettings(reason: "the connection string contains a zero byte", hint: nil)
        }
        try checkURL(text)
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(text, &message) else {
            let complaint = message.map { String(cString: $0) } ?? "out of memory"
            PQfreemem(message)
            throw failure(complaint, isURL: isURL(text))
        }
        defer { PQconninfoFree(options) }
        return given(options)
    }

    private static func given(_ options: UnsafeMutablePointer<PQconninfoOption>) -> [(keyword: String, value: String)] {
        var result: [(keyword: String, value: String)] = []
        var index = 0
        while let keyword = options[index].keyword {
            if let value = options[index].val {
                result.append((keyword: String(cString: keyword), value: String(cString: value)))
            }
            index += 1
        }
        return result
    }

    private static func isURL(_ text: String) -> Bool {
        text.hasPrefix("postgres://") || text.hasPrefix("postgresql://")
    }

    /// A "/" in a password ends the host part early, and the rest would be taken for port and database name.
    private static func checkURL(_ text: String) throws(PostgresError) {
        guard !isURL(text) else {
            let rest = text.dropFirst(text.hasPrefix("postgres://") ? 11 : 13)
            guard let slash = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) else { return }
            let path = rest[slash...].prefix { $0 != "?" }
            guard path.contains("@"), !rest[..<slash].contains("@") else { return }
            throw .invalidSettings(
                reason: "the URL has \"@\" after its first \"/\"", hint: encodingHint)
        }
        if let scheme = text.firstRange(of: "://"), !text[..<scheme.lowerBound].contains("=") {
            throw .invalidSettings(
                reason: "the URL does not begin with \"postgresql://\"",
                hint: "Write postgresql://user@host:port/database, or keyword=value pairs.")
        }
    }

    private static func failure(_ complaint: String, isURL: Bool) -> PostgresError {
        if let name = unknownKeyword(complaint) { return .unknownSetting(name: name, known: ConnectionKeyword.names) }
        if complaint.hasPrefix("missing \"=\"") {
            return .invalidSettings(
                reason: "a word without \"=\" in the connection string",
                hint: "Write keyword=value pairs; put values with blanks into single quotes.")
        }
        if complaint.contains("unterminated") {
            return .invalidSettings(reason: "a quoted value without its end in the connection string", hint: nil)
        }
        if complaint.contains("percent-encoded") || complaint.contains("%00") {
            return .invalidSettings(reason: "an invalid percent-encoded character in the URL", hint: encodingHint)
        }
        return .invalidSettings(
            reason: "the \(isURL ? "URL" : "connection string") cannot be read",
            hint: isURL ? "Write postgresql://user@host:port/database?keyword=value." : nil)
    }

    private static let encodingHint =
        "In a URL, write \"/\", \":\", \"@\" and \"%\" of a password as %2F, %3A, %40 and %25."

    /// The name in `invalid connection option "name"` or `invalid URI query parameter: "name"`, if it is near enough
    /// to a keyword to be one; else it may be a piece of an unquoted password.
    private static func unknownKeyword(_ complaint: String) -> String? {
        guard complaint.hasPrefix("invalid connection option") || complaint.hasPrefix("invalid URI query parameter")
        else { return nil }
        let pieces = complaint.split(separator: "\"", omittingEmptySubsequences: false)
        guard pieces.count == 3 else { return nil }
        let name = String(pieces[1])
        if complaint.hasPrefix("invalid URI") { return name }
        return ConnectionKeyword.names.contains { isNear(name, $0) } ? name : nil
    }

    /// At most a third of the letters differ.
    private static func isNear(_ left: String, _ right: String) -> Bool {
        let a = Array(left.utf8)
        let b = Array(right.utf8)
        guard abs(a.count - b.count) <= 2 else { return false }
        var previous = Array(0...b.count)
        for (row, byte) in a.enumerated() {
            var current = [row + 1]
            for (column, other) in b.enumerated() {
                let substituted = previous[column] + (byte == other ? 0 : 1)
                current.append(min(substituted, previous[column + 1] + 1, current[column] + 1))
            }
            previous = current
        }
        return previous[b.count] * 3 <= max(a.count, b.count)
    }
}
