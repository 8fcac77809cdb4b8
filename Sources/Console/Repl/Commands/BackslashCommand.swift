import Scripting

/// The prompt's own commands, `\name arguments`.
enum BackslashCommand: String, CaseIterable {
    case describe = "d"
    case tables = "dt"
    case schemas = "dn"
    case indexes = "di"
    case functions = "df"
    case views = "dv"
    case databases = "l"
    case slots, pub, sub, lag, pool
    case status, tasks, tap
    case timing
    case expanded = "x"
    case output = "o"
    case edit = "e"
    case include = "i"
    case watch
    case connect = "c"
    case attempt = "try"
    case quit = "q"
    case help = "?"

    /// As `\?` shows it.
    var usage: String {
        switch self {
        case .describe: "[name]"
        case .tables, .schemas, .indexes, .functions, .views: "[pattern]"
        case .databases, .slots, .pub, .sub, .lag, .pool, .status, .tasks, .edit, .quit, .help: ""
        case .tap: "[table [n [function]]]"
        case .timing: "[on|off]"
        case .expanded: "[on|off|auto]"
        case .output: "[table|csv|tsv|json [file]]"
        case .include: "file"
        case .watch: "[seconds]"
        case .connect: "pool|DSN"
        case .attempt: "transform table [n]"
        }
    }

    var summary: String {
        switch self {
        case .describe: "tables, views and sequences; or what one of them is"
        case .tables: "tables, with their size"
        case .schemas: "schemas"
        case .indexes: "indexes"
        case .functions: "functions"
        case .views: "views"
        case .databases: "databases"
        case .slots: "replication slots, and how much log they keep"
        case .pub: "publications and their tables"
        case .sub: "subscriptions"
        case .lag: "how far those who follow this server are behind"
        case .pool: "what the pools do; those of the run that the session has joined"
        case .status: "how the run gets on that the session has joined"
        case .tasks: "its Lua states and what runs in them"
        case .tap: "the next n (10) changes through the pipeline's functions, or another one; writes nothing"
        case .timing: "how long each statement takes"
        case .expanded: "a line for each field instead of one for each row; auto: when rows are too wide"
        case .output: "how results are written, and to which file"
        case .edit: "the last statement in $EDITOR"
        case .include: "runs a file of statements"
        case .watch: "runs the last statement again and again (2 s) until Ctrl-C"
        case .connect: "goes on with another pool (a global variable), or where a DSN points"
        case .attempt: "runs a function, or a pipeline's, over n (5) rows of a table; writes nothing"
        case .quit: "leaves"
        case .help: "this list; ?name tells of a name of the Lua API"
        }
    }

    static func help() -> String {
        let left = allCases.map { "\\\($0.rawValue) \($0.usage)" }
        let width = left.map(\.count).max() ?? 0
        let lines = zip(left, allCases).map { text, command in
            "  \(text)\(String(repeating: " ", count: width - text.count))  \(command.summary)\n"
        }
        return lines.joined() + keys
    }

    private static let keys = """

        Lua runs at once, SQL at its ";". What Lua code returns is shown, unless ";" ends it; "_" is the last value.
        Keys: arrows, Home, End, Alt-B, Alt-F move; Ctrl-K, U, W, Alt-D cut, Ctrl-Y pastes; Ctrl-R searches what was
        typed before; Tab completes; Alt-Enter breaks the line; Ctrl-_ undoes; Ctrl-L clears the screen.

        """
}

/// A command as it was typed.
struct BackslashLine: Equatable {
    var name: String
    var arguments: [String]
    /// Everything behind the name.
    var rest: String

    init(_ text: String) {
        let line = text.drop { $0.isWhitespace || $0 == "\\" }
        name = String(line.prefix { !$0.isWhitespace })
        var tail = line.dropFirst(name.count).drop { $0.isWhitespace }
        while tail.last.map({ $0.isWhitespace || $0 == ";" }) == true { tail.removeLast() }
        // "\d;" and "\d+" mean "\d".
        while name.count > 1, let last = name.last, last == ";" || last == "+" { name.removeLast() }
        rest = String(tail)
        arguments = Self.words(rest)
    }

    /// At blanks outside of quotes; single ones are taken off, double ones belong to names.
    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        var quote: Character?
        var isWord = false
        for character in text {
            if let open = quote {
                if character == open { quote = nil }
                if character != open || open == "\"" { word.append(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                isWord = true
                if character == "\"" { word.append(character) }
            } else if character.isWhitespace {
                if isWord { words.append(word) }
                (word, isWord) = ("", false)
            } else {
                word.append(character)
                isWord = true
            }
        }
        return isWord ? words + [word] : words
    }
}
