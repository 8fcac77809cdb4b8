@preconcurrency import Glibc
import PostgresProtocol
import Scripting

/// What the commands do.
extension ReplSession {
    func perform(command text: String) async -> Outcome {
        let line = BackslashLine(text)
        guard let command = BackslashCommand(rawValue: line.name) else { return await unknown(line) }
        switch command {
        case .describe where !line.rest.isEmpty: return await describe(line.rest)
        case .describe, .tables, .schemas, .indexes, .functions, .views, .databases, .slots, .pub, .sub, .lag:
            return await list(command, line.arguments.first)
        case .pool: return run == nil ? await showPools() : await showRunPools()
        case .status: return await showRun()
        case .tasks: return await showTasks()
        case .tap: return await tap(line)
        case .timing: return await setTiming(line.arguments.first)
        case .expanded: return await setExpansion(line.arguments.first)
        case .output: return await setOutput(line.arguments)
        case .edit: return await edit()
        case .include: return await include(line)
        case .watch: return await watch(line.arguments.first)
        case .connect: return await connect(line.rest)
        case .attempt: return await attempt(line)
        case .quit: return .leave(Self.quit)
        case .help: return show(BackslashCommand.help())
        }
    }

    private func unknown(_ line: BackslashLine) async -> Outcome {
        let names = BackslashCommand.allCases.map(\.rawValue)
        let near = Spelling.nearest(line.name, of: names)
        let hint = near.map { "Did you mean \\\($0)?" } ?? "\\? lists the commands."
        return await fail(FailureReport(code: "RH0301", "there is no command \\\(line.name)", hint: hint))
    }

    func wrong(_ command: BackslashCommand, _ message: String) async -> Outcome {
        await fail(
            FailureReport(
                code: "RH0302", "\\\(command.rawValue): \(message)",
                hint: "Write \\\(command.rawValue) \(command.usage)."))
    }

    func show(_ text: String) -> Outcome {
        let output = output()
        output.write(text)
        output.finish()
        return .done
    }

    // MARK: The catalog

    private func list(_ command: BackslashCommand, _ pattern: String?) async -> Outcome {
        guard let sql = CatalogQueries.sql(command, NamePattern(pattern)) else { return .done }
        let last = state.lastStatement
        defer { change { $0.lastStatement = last } }
        return await execute(sql)
    }

    private func describe(_ name: String) async -> Outcome {
        let backend = backend
        switch await interruptible({ await TableDescription(backend).text(name) }) {
        case .failure(let report): return await fail(report)
        case .success(let text?): return show(text)
        case .success(nil):
            let known = catalog.catalog.relations("").map(\.name)
            let near = Spelling.nearest(name, of: known)
            return await fail(
                FailureReport(
                    code: "RH0303", "there is no relation \"\(name)\"", hint: near.map { "Did you mean \"\($0)\"?" }))
        }
    }

    private func showPools() async -> Outcome {
        switch await backend.call("return require('replhost.repl').pools()") {
        case .failure(let report): return await fail(report)
        case .success(let values):
            let rows = (values.first ?? "").split(separator: "\n").map { line in
                line.split(separator: "\t").map { String($0) as String? }
            }
            let names = ["In use", "Idle", "Connecting", "Waiting", "Max", "Borrowed so far"]
            let columns = [ResultTable.Column("Pool")] + names.map { ResultTable.Column($0, isNumeric: true) }
            return show(ResultTable.render(columns: columns, rows: rows) + "\n")
        }
    }

    // MARK: Settings

    private func setTiming(_ argument: String?) async -> Outcome {
        switch argument {
        case nil: change { $0.isTimed.toggle() }
        case "on": change { $0.isTimed = true }
        case "off": change { $0.isTimed = false }
        case let other?: return await wrong(.timing, "on or off expected, got \"\(other)\"")
        }
        return say("Timing is \(state.isTimed ? "on" : "off").")
    }

    private func setExpansion(_ argument: String?) async -> Outcome {
        if let argument {
            guard let wanted = ResultFormat.Expansion(rawValue: argument) else {
                return await wrong(.expanded, "on, off or auto expected, got \"\(argument)\"")
            }
            change { $0.format.expansion = wanted }
        } else {
            change { $0.format.expansion = $0.format.expansion == .on ? .off : .on }
        }
        switch state.format.expansion {
        case .on: return say("Expanded display is on.")
        case .off: return say("Expanded display is off.")
        case .auto: return say("Expanded display is used where rows are too wide.")
        }
    }

    private func setOutput(_ arguments: [String]) async -> Outcome {
        closeFile()
        guard let name = arguments.first else {
            change { $0.format.kind = .table }
            return say("Results are shown as tables.")
        }
        guard let kind = ResultFormat.Kind(rawValue: name) else {
            let near = Spelling.nearest(name, of: ResultFormat.Kind.allCases.map(\.rawValue))
            return await wrong(.output, "unknown format \"\(name)\"" + (near.map { ", did you mean \"\($0)\"?" } ?? ""))
        }
        if arguments.count > 1 {
            let path = expanded(arguments[1])
            let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else { return await cannotOpen(path) }
            change { $0.file = OutputFile(path: path, descriptor: descriptor) }
        }
        change { $0.format.kind = kind }
        return say("Results are written as \(name)\(arguments.count > 1 ? " to \(arguments[1])" : "").")
    }

    func closeFile() {
        if let file = state.file { close(file.descriptor) }
        change { $0.file = nil }
    }

    /// For people only: what a program reads stays free of it.
    private func say(_ text: String) -> Outcome {
        if isInteractive { Terminal.writeError(text + "\n") }
        return .done
    }

    private func cannotOpen(_ path: String) async -> Outcome {
        let reason = String(cString: strerror(errno))
        return await fail(FailureReport(code: "RH0304", "cannot open \"\(path)\": \(reason)"))
    }

    private func expanded(_ path: String) -> String {
        path.hasPrefix("~/") ? Terminal.variable("HOME") + path.dropFirst() : path
    }

    // MARK: Statements from elsewhere

    private func include(_ line: BackslashLine) async -> Outcome {
        guard let argument = line.arguments.first else { return await wrong(.include, "which file?") }
        let path = expanded(argument)
        guard let text = TextFile.read(path) else { return await cannotOpen(path) }
        let reader = PlainReader(text: text)
        while let text = await reader.nextLine() {
            guard await classify(text) != .incomplete else { continue }
            _ = reader.takePending()
            let outcome = await perform(text)
            guard case .done = outcome else { return outcome }
        }
        return await perform(reader.takePending(), isLast: true)
    }

    private func edit() async -> Outcome {
        guard isInteractive else { return await wrong(.edit, "there is no terminal") }
        guard let path = TextFile.makeTemporary(state.lastStatement) else { return await cannotOpen("/tmp") }
        defer { unlink(path) }
        let named = ["VISUAL", "EDITOR"].lazy.map(Terminal.variable).first { !$0.isEmpty } ?? "vi"
        Terminal.flush()
        guard ShellCommand("\(named) '\(path)'").run() else {
            return await fail(FailureReport(code: "RH0305", "the editor \"\(named)\" failed", hint: "Set $EDITOR."))
        }
        guard var text = TextFile.read(path) else { return await cannotOpen(path) }
        while text.last?.isWhitespace == true { text.removeLast() }
        if editor != nil {
            // In the place of the next statement: it is seen before it runs.
            change { [text] in $0.draft = text }
            return .done
        }
        return await perform(text, isLast: true)
    }

    private func watch(_ argument: String?) async -> Outcome {
        let seconds = argument.map { Double($0) ?? -1 } ?? 2
        guard seconds > 0, seconds < 1e6 else { return await wrong(.watch, "a number of seconds expected") }
        let statement = state.lastStatement
        guard !statement.isEmpty else { return await wrong(.watch, "there is no statement to run") }
        while true {
            let outcome = await perform(statement)
            guard case .done = outcome else { return outcome }
            let isOver = await interruptible { (try? await Task.sleep(for: .seconds(seconds))) == nil }
            if isOver { return interrupted() }
        }
    }

    // MARK: Elsewhere

    private func connect(_ target: String) async -> Outcome {
        guard !target.isEmpty else { return await wrong(.connect, "to what?") }
        let isPool = await backend.poolNames().contains(target)
        let value =
            isPool
            ? target
            : "require('replhost').pool { dsn = \(LuaLiteral.quoted(await dsn(target))), fail_fast_after = 0.2 }"
        let before = "__replhost_pool"
        if case .failure(let report) = await backend.call("\(before) = pool; pool = \(value)") {
            return await fail(report)
        }
        await backend.leaveSession()
        let backend = backend
        if let report = await interruptible({ await backend.connect() }) {
            _ = await backend.call("pool, \(before) = \(before), nil")
            _ = await backend.connect()
            return await fail(report)
        }
        _ = await backend.call("\(before) = nil")
        catalog.refresh()
        return say("Connected to \(backend.facts.database ?? "nothing").")
    }

    /// A word alone is a database of the same server.
    private func dsn(_ target: String) async -> String {
        guard !target.contains("="), !target.contains(":"), !target.contains("/") else { return target }
        return await backend.connectionString(forDatabase: target) ?? "dbname=\(target)"
    }

    private func attempt(_ line: BackslashLine) async -> Outcome {
        let words = line.arguments
        guard words.count == 2 || words.count == 3, let count = words.count == 3 ? Int(words[2]) : 5, count > 0 else {
            return await wrong(.attempt, "a function or pipeline, a table and a number of rows expected")
        }
        guard case nil = await backend.connect() else { return await execute("select") }
        let code = """
            require('replhost.repl').try(\(words[0]), \(LuaLiteral.quoted(words[1])), \(count))
            """
        return await evaluate(code)
    }

    // MARK: Help

    /// `?name`.
    func help(_ text: String) async -> Outcome {
        let name = String(text.drop { $0.isWhitespace || $0 == "?" }).trimmed
        guard !name.isEmpty else { return show(BackslashCommand.help()) }
        guard let definitions = Definitions.shared else {
            return await fail(FailureReport(code: "RH0306", "the definition file is missing"))
        }
        if let text = definitions.help(on: name) { return show(text) }
        let near = Spelling.nearest(name, of: definitions.topics).map { "Did you mean \($0)?" }
        return await fail(FailureReport(code: "RH0307", "nothing is known of \"\(name)\"", hint: near))
    }
}

extension String {
    /// Without blanks and parentheses at its ends.
    fileprivate var trimmed: String {
        var text = self
        while let last = text.last, last.isWhitespace || "();".contains(last) { text.removeLast() }
        return text
    }
}
