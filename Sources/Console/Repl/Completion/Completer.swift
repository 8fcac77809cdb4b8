@preconcurrency import Glibc
import PostgresProtocol
import Scripting

/// Finds what could complete a text. Runs nothing of the script's, and asks no server.
struct Completer {
    private let backend: ReplBackend
    private let feed: CatalogFeed

    init(_ backend: ReplBackend, _ feed: CatalogFeed) {
        self.backend = backend
        self.feed = feed
    }

    /// `cursor` in characters.
    func complete(_ text: String, _ cursor: Int) async -> Completion {
        let before = String(text.prefix(cursor))
        let context = CompletionContext(before)
        let (typed, names, suffix) = await candidates(context, after: String(text.dropFirst(cursor)), before)
        return Completion(start: cursor - typed.count, names: names, typed: typed, suffix: suffix)
    }

    private func candidates(
        _ context: CompletionContext, after: String, _ before: String
    ) async -> (typed: String, names: [String], suffix: String) {
        switch context {
        case .command(let typed):
            return (typed, BackslashCommand.allCases.map(\.rawValue).filter { $0.hasPrefix(typed) }, " ")
        case .argument(let command, let position, let typed):
            return (typed, await arguments(of: command, position, typed), " ")
        case .lua(let path, let isMethod, let typed):
            return (typed, await luaNames(path, isMethod, typed), "")
        case .sql(var place):
            place.tables.merge(SQLPlace(before, after: after).tables) { known, _ in known }
            return (place.typed, SQLNames(feed.catalog).names(place), "")
        }
    }

    // MARK: Lua

    private static let luaKeywords = """
        and break do else elseif end false for function goto if in local nil not or repeat return then true until while
        """.split(separator: " ").map(String.init)

    private func luaNames(_ path: [String], _ isMethod: Bool, _ typed: String) async -> [String] {
        let found = await backend.luaNames(after: path)
        var names = found.names
        if let definition = found.definition { names += Definitions.shared?.members(of: definition) ?? [] }
        if path.isEmpty {
            // An empty place would offer everything there is.
            guard !typed.isEmpty else { return [] }
            names += Self.luaKeywords
            let keywords = SQLKeywords.first
            names += typed.first?.isUppercase == true ? keywords : keywords.map { $0.lowercased() }
        }
        return names.filter { $0.hasPrefix(typed) && (!$0.hasPrefix("_") || typed.hasPrefix("_")) }
    }

    // MARK: Arguments of commands

    private func arguments(of command: String, _ position: Int, _ typed: String) async -> [String] {
        switch BackslashCommand(rawValue: command) {
        case .describe, .tables, .views, .indexes: tables(typed)
        case .schemas: feed.catalog.schemas.filter { $0.hasPrefix(typed) }
        case .functions: feed.catalog.functionNames(typed).map(\.self)
        case .timing: ["on", "off"].filter { $0.hasPrefix(typed) }
        case .expanded: ResultFormat.Expansion.allCases.map(\.rawValue).filter { $0.hasPrefix(typed) }
        case .output where position == 1: ResultFormat.Kind.allCases.map(\.rawValue).filter { $0.hasPrefix(typed) }
        case .output, .include: Self.files(typed)
        case .connect: await backend.poolNames().filter { $0.hasPrefix(typed) }
        case .attempt where position == 1: await luaNames([], false, typed)
        case .tap where position > 1: await luaNames([], false, typed)
        case .attempt, .tap: tables(typed)
        case .databases, .slots, .pub, .sub, .lag, .pool, .status, .tasks, .edit, .watch, .quit, .help, nil: []
        }
    }

    private func tables(_ typed: String) -> [String] {
        SQLNames(feed.catalog).relations(typed)
    }

    /// Names in the directory that was begun; directories with a slash.
    private static func files(_ typed: String) -> [String] {
        let directory = typed.lastIndex(of: "/").map { String(typed[...$0]) } ?? ""
        let name = typed.dropFirst(directory.count)
        guard let handle = opendir(directory.isEmpty ? "." : directory) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let found = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard found.hasPrefix(name), !found.hasPrefix(".") || name.hasPrefix(".") else { continue }
            names.append(directory + found + (entry.pointee.d_type == UInt8(DT_DIR) ? "/" : ""))
        }
        return names
    }
}

/// Names for a place in a SQL text.
struct SQLNames {
    private let catalog: NameCatalog

    init(_ catalog: NameCatalog) { self.catalog = catalog }

    func names(_ place: SQLPlace) -> [String] {
        if let owner = place.owner { return members(of: owner, place) }
        let tables = relations(place.typed)
        if place.expectsTable { return tables }
        let named = place.tables.values.flatMap { columns(of: $0, place.typed) }
        // A column that was not begun: those of the statement's tables, if it names some.
        guard !place.typed.isEmpty else { return named }
        let aliases = place.tables.keys.filter { $0.hasPrefix(place.typed) && $0 != place.typed }
        // What the statement is about comes before everything else that begins so.
        guard named.isEmpty else { return named + aliases }
        return aliases + tables + keywords(place.typed) + catalog.functionNames(place.typed).map(\.self)
    }

    /// With and without their schema, and schemas.
    func relations(_ typed: String) -> [String] {
        if let dot = typed.firstIndex(of: ".") {
            let schema = String(typed[..<dot])
            let prefix = Self.plain(typed[typed.index(after: dot)...])
            return catalog.names(prefix, in: Self.plain(schema[...])).map { schema + "." + $0 }
        }
        let prefix = Self.plain(typed[...])
        return catalog.names(prefix, isUser: typed.isEmpty)
            + catalog.schemas.filter { $0.hasPrefix(prefix) && !$0.hasPrefix("pg_") }.map {
                SQLText.displayIdentifier($0) + "."
            }
    }

    private func members(of owner: String, _ place: SQLPlace) -> [String] {
        if let table = place.tables[owner] { return columns(of: table, place.typed) }
        let name = Self.plain(owner[...])
        return catalog.names(Self.plain(place.typed[...]), in: name) + columns(of: owner, place.typed)
    }

    private func columns(of table: String, _ typed: String) -> [String] {
        let parts = table.split(separator: ".").map { Self.plain($0) }
        guard let name = parts.last else { return [] }
        let relation = catalog.relation(name, in: parts.count > 1 ? parts[0] : nil)
        let prefix = Self.plain(typed[...])
        return (relation?.columns ?? []).filter { $0.hasPrefix(prefix) }.map { SQLText.displayIdentifier($0) }
    }

    /// In the case of what was typed.
    private func keywords(_ typed: String) -> [String] {
        let found = SQLKeywords.all.filter { $0.hasPrefix(typed.uppercased()) }
        return typed.first?.isUppercase == true ? found : found.map { $0.lowercased() }
    }

    /// As the catalog has it: without quotes, or in lower case.
    private static func plain(_ name: Substring) -> String {
        name.hasPrefix("\"") ? String(name.filter { $0 != "\"" }) : name.lowercased()
    }
}
