import PostgresProtocol
import Scripting

/// What is being typed where the cursor is, and in which language.
enum CompletionContext: Equatable {
    /// The name of a command, or one of its arguments.
    case command(typed: String)
    case argument(of: String, position: Int, typed: String)
    /// A name behind `path`: `rh.mask.em` is em behind rh, mask.
    case lua(path: [String], isMethod: Bool, typed: String)
    case sql(SQLPlace)

    /// `text` up to the cursor.
    init(_ text: String) {
        let start = text.drop { $0.isWhitespace }
        if start.hasPrefix("\\") {
            self = Self.command(start.dropFirst())
        } else if let sql = Self.sqlPart(of: text) {
            self = .sql(SQLPlace(sql))
        } else {
            self = Self.lua(text)
        }
    }

    private static func command(_ text: Substring) -> Self {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count > 1, let name = words.first else { return .command(typed: String(text)) }
        return .argument(of: String(name), position: words.count - 1, typed: String(words[words.count - 1]))
    }

    /// The text itself if it begins like SQL; the part of a Lua string that does.
    private static func sqlPart(of text: String) -> String? {
        let word = text.drop { $0.isWhitespace }.prefix { $0.isLetter || $0 == "_" }
        let begins = SQLInput(text) != nil && word.count < text.count
        let next = text.drop { $0.isWhitespace }.dropFirst(word.count).first
        if begins, next?.isWhitespace == true { return text }
        guard let quoted = LuaString.open(at: text), SQLInput(quoted) != nil, quoted.contains(" ") else { return nil }
        return quoted
    }

    private static func lua(_ text: String) -> Self {
        let typed = String(text.reversed().prefix(while: Self.isNamePart).reversed())
        var path: [String] = []
        var rest = text.dropLast(typed.count)
        let isMethod = rest.last == ":"
        while let separator = rest.last, separator == "." || separator == ":" {
            rest.removeLast()
            let name = String(rest.reversed().prefix(while: Self.isNamePart).reversed())
            guard !name.isEmpty else { return .lua(path: ["?"], isMethod: isMethod, typed: typed) }
            path.insert(name, at: 0)
            rest = rest.dropLast(name.count)
        }
        return .lua(path: path, isMethod: isMethod, typed: typed)
    }

    private static func isNamePart(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_"
    }
}

/// A place in a SQL text.
struct SQLPlace: Equatable {
    /// What was begun, from its last dot on.
    var typed: String
    /// The name before that dot.
    var owner: String?
    /// The last whole word before, in upper case.
    var previous: String
    /// Names that may be tables, and what they are called in the statement.
    var tables: [String: String]

    /// `text` up to the cursor; tables are also looked for behind it.
    init(_ text: String, after: String = "") {
        typed = String(text.reversed().prefix(while: Self.isNamePart).reversed())
        var rest = text.dropLast(typed.count)
        owner = nil
        if rest.last == "." {
            rest.removeLast()
            owner = String(rest.reversed().prefix(while: Self.isNamePart).reversed())
            rest = rest.dropLast(owner?.count ?? 0)
        }
        let words = Self.words(String(rest))
        previous = words.last?.uppercased() ?? ""
        tables = Self.tables(in: words + (typed.isEmpty ? [] : [typed]) + Self.words(after))
    }

    /// A table is expected here.
    var expectsTable: Bool { Self.beforeTables.contains(previous) }

    static let beforeTables: Set<String> = ["FROM", "JOIN", "INTO", "UPDATE", "TABLE", "TRUNCATE", "ONLY", "VIEW"]

    private static func isNamePart(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_" || character == "$" || character == "\""
    }

    /// Names with their dots, and commas.
    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        for character in text {
            if isNamePart(character) || character == "." {
                word.append(character)
            } else {
                if !word.isEmpty { words.append(word) }
                word = ""
                if character == "," || character == "(" { words.append(String(character)) }
            }
        }
        return word.isEmpty ? words : words + [word]
    }

    /// `FROM a, s.b AS x`: a → a, b → s.b, x → s.b.
    private static func tables(in words: [String]) -> [String: String] {
        var tables: [String: String] = [:]
        var index = 0
        while index < words.count {
            guard beforeTables.contains(words[index].uppercased()) else {
                index += 1
                continue
            }
            index += 1
            while index < words.count, !["(", ","].contains(words[index]), !isKeyword(words[index]) {
                let name = words[index]
                tables[String(name.split(separator: ".").last ?? "")] = name
                index += 1
                if index < words.count, words[index].uppercased() == "AS" { index += 1 }
                if index < words.count, !["(", ","].contains(words[index]), !isKeyword(words[index]) {
                    tables[words[index]] = name
                    index += 1
                }
                guard index < words.count, words[index] == "," else { break }
                index += 1
            }
        }
        return tables
    }

    private static func isKeyword(_ word: String) -> Bool { SQLKeywords.set.contains(word.uppercased()) }
}

/// Finds the string that is open at the end of a Lua text.
enum LuaString {
    /// Its content so far.
    static func open(at text: String) -> String? {
        var rest = Substring(text)
        while let character = rest.first {
            if character == "\"" || character == "'" {
                rest.removeFirst()
                guard let end = close(of: character, in: rest) else { return String(rest) }
                rest = rest[end...]
            } else if rest.hasPrefix("[[") {
                rest = rest.dropFirst(2)
                guard let end = rest.firstRange(of: "]]") else { return String(rest) }
                rest = rest[end.upperBound...]
            } else if rest.hasPrefix("--") {
                guard let end = rest.firstIndex(of: "\n") else { return nil }
                rest = rest[end...]
            } else {
                rest.removeFirst()
            }
        }
        return nil
    }

    private static func close(of quote: Character, in text: Substring) -> String.Index? {
        var isEscaped = false
        for index in text.indices {
            if isEscaped {
                isEscaped = false
            } else if text[index] == "\\" {
                isEscaped = true
            } else if text[index] == quote {
                return text.index(after: index)
            }
        }
        return nil
    }
}
