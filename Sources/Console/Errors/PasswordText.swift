/// Takes passwords out of text that people will read: of connection strings, and of options and SQL that name one.
enum PasswordText {
    /// Each character of a password becomes a star, so that columns stay what they are.
    static func hidden(_ text: String) -> String {
        // What most lines lack decides quickly.
        guard text.contains("://") || text.contains(/(?i)pass/) else { return text }
        let inURL = text.replacing(/(:\/\/[^\s:\/@"']*:)([^\s"']*)@/) { $0.1 + stars($0.2) + "@" }
        let named = /(?i)(password|passwd|pass)(["'\]]*\s*=\s*|\s+(?=['"]))("[^"]*"|'[^']*'|[^\s"',;{}()]+)/
        return inURL.replacing(named) {
            isLookup($0.3) ? String($0.0) : $0.1 + $0.2 + stars($0.3)
        }
    }

    /// `os.getenv "PGPASSWORD"` is no password.
    private static func isLookup(_ value: Substring) -> Bool {
        value.hasPrefix("os.") || value.hasPrefix("rh.") || value == "="
    }

    private static func stars(_ text: Substring) -> String {
        guard let quote = text.first, quote == "\"" || quote == "'" else {
            return String(repeating: "*", count: text.count)
        }
        return "\(quote)\(String(repeating: "*", count: text.count - 2))\(quote)"
    }
}
