import PostgresProtocol

/// What a session on the server holds that ends with it, as far as its statements tell.
struct SessionMemory: Equatable {
    private var settings: [String] = []
    private var temporaryTables: [String] = []
    private var channels: [String] = []
    private var prepared: [String] = []

    /// A statement has succeeded.
    mutating func note(_ sql: String) {
        let words = Self.words(sql)
        guard let first = words.first?.uppercased() else { return }
        let second = words.count > 1 ? words[1].uppercased() : ""
        switch first {
        case "SET": noteSetting(words, second)
        case "RESET": if second == "ALL" { settings = [] } else { settings.removeAll { $0 == Self.folded(words, 1) } }
        case "LISTEN": Self.add(Self.folded(words, 1), to: &channels)
        case "UNLISTEN": if second == "*" { channels = [] } else { channels.removeAll { $0 == Self.folded(words, 1) } }
        case "CREATE" where ["TEMP", "TEMPORARY"].contains(second): noteTable(words)
        case "DROP" where second == "TABLE": temporaryTables.removeAll { $0 == Self.folded(words, 2) }
        case "PREPARE" where second != "TRANSACTION": Self.add(Self.folded(words, 1), to: &prepared)
        case "DISCARD" where second == "ALL": self = SessionMemory()
        default: break
        }
    }

    /// "settings (work_mem)", …; empty if nothing is known to be lost.
    func losses(hadTransaction: Bool) -> [String] {
        var all = hadTransaction ? ["the open transaction"] : []
        let lists = [
            ("settings", settings), ("temporary tables", temporaryTables), ("LISTEN on", channels),
            ("prepared statements", prepared),
        ]
        for (what, names) in lists where !names.isEmpty { all.append("\(what) \(names.joined(separator: ", "))") }
        return all
    }

    /// `SET LOCAL` and `SET TRANSACTION` end with the transaction.
    private mutating func noteSetting(_ words: [String], _ second: String) {
        guard !["LOCAL", "TRANSACTION", "CONSTRAINTS"].contains(second) else { return }
        let name = Self.folded(words, second == "SESSION" ? 2 : 1)
        Self.add(name == "time" ? "timezone" : name, to: &settings)
    }

    private mutating func noteTable(_ words: [String]) {
        guard words.count > 3, words[2].uppercased() == "TABLE" else { return }
        let hasCondition = words[3].uppercased() == "IF"
        Self.add(Self.folded(words, hasCondition ? 6 : 3), to: &temporaryTables)
    }

    private static func folded(_ words: [String], _ index: Int) -> String {
        index < words.count ? words[index].lowercased() : ""
    }

    private static func add(_ name: String, to names: inout [String]) {
        if !name.isEmpty, !names.contains(name) { names.append(name) }
    }

    /// The first words of the statement, without what sticks to names.
    private static func words(_ sql: String) -> [String] {
        guard let range = SQLScanner.statements(in: sql).first?.range else { return [] }
        let text = String(decoding: Array(sql.utf8)[range].prefix(500), as: UTF8.self)
        let isEnd: (Character) -> Bool = { $0.isWhitespace || "=(,;".contains($0) }
        return text.split(whereSeparator: isEnd).prefix(8).map { $0.filter { $0 != "\"" } }
    }
}
