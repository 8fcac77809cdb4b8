/// Takes what PostgreSQL quotes of rows and values out of the texts of an error. Goes by signs, not words, so that it
/// does not depend on the server's language; where in doubt, it hides.
struct ValueHiding {
    /// Errors about values (22), constraints (23) and a view's check option (44) quote them.
    private let isAboutValues: Bool
    private let isAboutData: Bool

    init(sqlstate: String) {
        isAboutData = sqlstate.hasPrefix("22")
        isAboutValues = isAboutData || sqlstate.hasPrefix("23") || sqlstate.hasPrefix("44")
    }

    /// `invalid input syntax for type integer: "abc"`.
    func message(_ text: String) -> String { isAboutData ? hidingQuotes(text) : text }

    /// `Key (email)=(ann@example.com) already exists.`, `Failing row contains (1, Ann).`, `Token "abc" is invalid.`
    func detail(_ text: String) -> String {
        guard isAboutValues else { return text }
        let start = text.firstRange(of: "=(")?.upperBound ?? text.firstIndex(of: "(").map(text.index(after:))
        guard let start, let end = text.lastIndex(of: ")"), start <= end else { return hidingQuotes(text) }
        return text[..<start] + "…" + text[end...]
    }

    /// `COPY customers, line 3, column email: "ann@example.com"`, `JSON data, line 1: {"name": Ann`; the lines before
    /// it, of functions and triggers, stay.
    func context(_ text: String) -> String {
        for start in ["COPY ", "JSON "] {
            let found = text.hasPrefix(start) ? text.startIndex : text.firstRange(of: "\n" + start)?.lowerBound
            guard let found, let colon = text[found...].firstRange(of: ": ") else { continue }
            return text[..<colon.upperBound] + "…"
        }
        return text
    }

    /// What stands between the first and the last quotation mark, of whatever kind.
    private func hidingQuotes(_ text: String) -> String {
        let quotes: Set<Character> = ["\"", "»", "«", "„", "“", "”", "'"]
        guard let first = text.firstIndex(where: quotes.contains), let last = text.lastIndex(where: quotes.contains),
            first < last
        else { return text }
        return text[...first] + "…" + text[last...]
    }
}
