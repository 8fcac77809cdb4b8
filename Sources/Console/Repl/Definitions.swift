import Scripting

/// The Lua API as its definition file describes it: for `?name`, and for names that are not loaded yet.
struct Definitions {
    private struct Entry {
        var title: String
        /// As written, without the signs in front.
        var lines: [String]
    }

    static let shared = DefinitionFile.text.map { Definitions($0) }

    private var entries: [String: Entry] = [:]
    /// In the order of the file.
    private(set) var names: [String] = []
    private var fields: [String: [String]] = [:]

    init(_ text: String) {
        var doc: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("---"), !line.hasPrefix("----") {
                let content = line.dropFirst(3)
                if content.hasPrefix("@class") || content.hasPrefix("@alias") {
                    addType(doc)
                    doc = []
                }
                doc.append(String(content.hasPrefix(" ") ? content.dropFirst() : content))
            } else if line.hasPrefix("function ") {
                addFunction(line.dropFirst(9), doc)
                doc = []
            } else {
                addType(doc)
                doc = []
            }
        }
        addType(doc)
    }

    // MARK: Asking

    /// All that can be asked for.
    var topics: [String] {
        names.map { $0.hasPrefix("replhost.") ? "rh" + $0.dropFirst(8) : $0 }
    }

    /// The names below `rh`, `rh.json`, ….
    func members(of owner: String) -> [String] {
        let type = "replhost" + owner.dropFirst(2)
        let functions = names.filter { $0.hasPrefix(owner + ".") }.compactMap { name in
            name.dropFirst(owner.count + 1).split(whereSeparator: { ".:".contains($0) }).first.map(String.init)
        }
        return Array(Set(functions + (fields[type] ?? []))).sorted()
    }

    /// By its whole name, by the last part of it, or through the variable that usually holds such a thing.
    func help(on name: String) -> String? {
        let ofModule = name.hasPrefix("rh.") ? "replhost" + name.dropFirst(2) : name
        for candidate in [name, ofModule, Self.byType(name), "rh." + name, name.replacing(".", with: ":")] {
            if let entry = entries[candidate] { return text(of: entry, candidate) }
        }
        let matches = names.filter { $0.lowercased().hasSuffix("." + name.lowercased()) || $0.hasSuffix(":" + name) }
        if let only = matches.first, matches.count == 1, let entry = entries[only] { return text(of: entry, only) }
        guard !matches.isEmpty else { return nil }
        return matches.map { "  ?\($0)\n" }.joined()
    }

    /// `conn:query` is `Connection:query`.
    private static func byType(_ name: String) -> String {
        let variables = [
            "conn": "Connection", "pool": "Pool", "result": "Result", "row": "Row", "task": "Task", "event": "Event",
            "batch": "RowBatch", "rh": "replhost",
        ]
        let end = name.firstIndex { ".:".contains($0) } ?? name.endIndex
        guard let type = variables[String(name[..<end])] else { return name }
        return type + name[end...].replacing(".", with: ":")
    }

    private func text(of entry: Entry, _ name: String) -> String {
        var text = entry.title + "\n"
        for line in entry.lines { text += line.isEmpty ? "\n" : "  \(line)\n" }
        let below = names.filter { $0.hasPrefix(name + ":") || $0.hasPrefix(name + ".") }
        guard !below.isEmpty else { return text }
        return text + below.compactMap { entries[$0]?.title }.map { "  \($0)\n" }.joined()
    }

    // MARK: Reading

    private mutating func addFunction(_ line: Substring, _ doc: [String]) {
        guard let open = line.firstIndex(of: "("), let close = line.lastIndex(of: ")") else { return }
        let name = String(line[..<open])
        add(name, Entry(title: String(line[...close]), lines: doc.compactMap(Self.shown)))
    }

    private mutating func addType(_ doc: [String]) {
        guard let first = doc.first, first.hasPrefix("@class ") || first.hasPrefix("@alias ") else { return }
        let name = String(first.dropFirst(7).prefix { !$0.isWhitespace && $0 != ":" && $0 != "(" })
        fields[name] = doc.compactMap { line in
            line.hasPrefix("@field ") ? line.dropFirst(7).split(separator: " ").first.map(String.init) : nil
        }
        add(name, Entry(title: String(first.dropFirst(7)), lines: doc.dropFirst().compactMap(Self.shown)))
    }

    private mutating func add(_ name: String, _ entry: Entry) {
        if entries[name] == nil { names.append(name) }
        entries[name] = entry
    }

    /// A line of a comment for people; nil for what only a program needs.
    private static func shown(_ line: String) -> String? {
        guard line.hasPrefix("@") else { return line }
        let words = line.split(separator: " ", maxSplits: 1)
        let rest = words.count > 1 ? String(words[1]) : ""
        return switch words[0] {
        case "@param": "  \(rest)"
        case "@return": "  returns \(rest)"
        case "@field": "  .\(rest)"
        case "@overload": "  or \(rest)"
        default: nil
        }
    }
}
