import ArgumentParser

/// Puts the arguments into the form that the parser reads: a command first, and `--` before what is the script's.
///
///     replhost --limits time=1s shop.lua --help   →   run --limits time=1s -- shop.lua --help
///     replhost -e 'print(...)' a b                →   run -e 'print(...)' -- a b
enum ArgumentLine {
    static let commands = [
        "run", "init", "check", "plan", "preview", "test", "status", "top", "tap", "verify", "resnapshot", "cutover",
        "dlq", "drop", "repl", "attach", "types", "sandbox", "explain", "completions", "help",
    ]

    static func expanded(_ arguments: [String], inputIsTerminal: Bool) -> [String] {
        guard let first = arguments.first else {
            return inputIsTerminal ? ["repl"] : ["run", "--", "-"]
        }
        switch first {
        case "run": return ["run"] + scripted(separated(arguments.dropFirst()), inputIsTerminal)
        case _ where commands.contains(first): return arguments
        case "-h", "--help", "--version": return arguments
        default: return ["run"] + scripted(separated(arguments[...]), inputIsTerminal)
        }
    }

    /// Says what the parser would call only an unexpected argument.
    static func check(_ line: [String]) throws(ValidationError) {
        guard line.count > 1, let known = line[0] == "help" ? commands : subcommands[line[0]], !line[1].hasPrefix("-"),
            !known.contains(line[1])
        else {
            return
        }
        let suggestion = Spelling.nearest(line[1], of: known).map { " Did you mean '\($0)'?" } ?? ""
        guard line[0] != "help" else { throw ValidationError("Unknown command '\(line[1])'.\(suggestion)") }
        let others = known.joined(separator: ", ")
        throw ValidationError("Unknown command '\(line[0]) \(line[1])'.\(suggestion) '\(line[0])' has: \(others).")
    }

    private static let subcommands = [
        "sandbox": ["list", "start", "stop", "remove"], "dlq": ["list", "show", "retry", "purge"],
    ]

    private static let optionsWithValue: Set<String> = [
        "-e", "--execute", "--allow", "--sandbox", "--limits", "--log-format", "--log-level",
        "--listen", "--token-file",
    ]

    /// Without a file or a text, the script is what comes through standard input.
    private static func scripted(_ arguments: [String], _ inputIsTerminal: Bool) -> [String] {
        let isComplete = arguments.contains { argument in
            ["--", "-e", "--execute", "-h", "--help"].contains(argument) || argument.hasPrefix("--execute=")
        }
        return isComplete || inputIsTerminal ? arguments : arguments + ["--", "-"]
    }

    /// The first argument that is neither an option nor an option's value, and all after it, are the script's.
    private static func separated(_ arguments: ArraySlice<String>) -> [String] {
        var index = arguments.startIndex
        while index < arguments.endIndex {
            let argument = arguments[index]
            if argument == "--" { break }
            guard argument.hasPrefix("-"), argument != "-" else {
                return Array(arguments[..<index]) + ["--"] + Array(arguments[index...])
            }
            index += optionsWithValue.contains(argument) ? 2 : 1
        }
        return Array(arguments)
    }
}
