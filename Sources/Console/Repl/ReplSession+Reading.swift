import Scripting

/// The way from what is typed to statements.
extension ReplSession {
    private enum Reading {
        case statement(String)
        /// Ctrl-C.
        case nothing
        case end
        /// The terminal is gone.
        case gone
    }

    /// Until somebody leaves; the exit code.
    func run(_ editor: TerminalEditor, _ history: HistoryFile?) async -> Int32 {
        let completer = Completer(backend, catalog)
        while true {
            await backend.startListening()
            let reading = await read(editor, completer)
            await backend.stopListening()
            switch reading {
            case .nothing: continue
            case .gone: return ExitCode.done
            case .end: if await mayLeave(editor) { return ExitCode.done }
            case .statement(let text):
                remember(text, editor, history)
                guard case .leave(let code) = await perform(text) else { continue }
                if code != Self.quit { return code }
                if await mayLeave(editor) { return ExitCode.done }
            }
        }
    }

    /// The code of `\q`, after which an open transaction is still asked about.
    static let quit: Int32 = -1

    private func read(_ editor: TerminalEditor, _ completer: Completer) async -> Reading {
        let draft = state.draft
        change { $0.draft = "" }
        editor.begin(prompt, text: draft)
        while true {
            switch await editor.next() {
            case .submit(let text):
                if await classify(text) == .incomplete {
                    editor.goOn()
                } else {
                    editor.accept()
                    return .statement(text)
                }
            case .complete(let text, let cursor): editor.offer(await completer.complete(text, cursor))
            case .interrupt:
                editor.accept()
                return .nothing
            case .endOfInput:
                editor.accept()
                return .end
            case .ended:
                editor.accept()
                return .gone
            }
        }
    }

    private func remember(_ text: String, _ editor: TerminalEditor, _ history: HistoryFile?) {
        var entry = text
        while entry.last?.isWhitespace == true { entry.removeLast() }
        guard !entry.isEmpty, !Secrets.areIn(entry), editor.remember(entry) else { return }
        history?.add(entry)
    }

    /// Leaving rolls an open transaction back.
    private func mayLeave(_ editor: TerminalEditor) async -> Bool {
        guard backend.facts.transaction != .none else { return true }
        Terminal.write("A transaction is open, and leaving rolls it back.\n")
        editor.begin(Prompt("Leave? [y/N] ", continuation: ""))
        defer { editor.accept() }
        while true {
            switch await editor.next() {
            case .submit(let text): return ["y", "yes"].contains(text.lowercased())
            case .interrupt: return false
            case .endOfInput, .ended: return true
            case .complete: continue
            }
        }
    }

    /// Database and transaction: `shop=> `, `shop*> `, `shop!> `.
    var prompt: Prompt {
        let facts = backend.facts
        let name = TerminalText.escaped(facts.database ?? "(not connected)")
        let sign =
            switch facts.transaction {
            case .none: "="
            case .open: "*"
            case .failed: "!"
            }
        return Prompt("\(name)\(sign)> ", continuation: "\(name)-> ")
    }
}

// MARK: - Without an editor

extension ReplSession {
    /// Until the end of input; off a terminal the first failure is the end.
    func run(_ reader: PlainReader) async -> Int32 {
        var isSQL = false
        while true {
            reader.show(isInteractive && Terminal.outputIsTerminal ? prompt : nil)
            await listen(isInteractive)
            guard let text = await reader.nextLine() else { break }
            await listen(false)
            // A long SQL statement is not looked at again with each of its lines.
            if isSQL, text.last(where: { $0 != " " }) != ";", text.utf8.count > 4096 { continue }
            let statement = await classify(text)
            isSQL = statement == .incomplete && SQLInput(text) != nil
            if statement == .incomplete { continue }
            _ = reader.takePending()
            guard case .leave(let code) = await perform(text) else { continue }
            return code == Self.quit ? ExitCode.done : code
        }
        await listen(false)
        if isInteractive {
            Terminal.write("\n")
            return ExitCode.done
        }
        let last = await perform(reader.takePending(), isLast: true)
        if backend.facts.transaction != .none {
            Terminal.writeError("warning: the input has ended, and the open transaction is rolled back\n")
        }
        guard case .leave(let code) = last else { return ExitCode.done }
        return code == Self.quit ? ExitCode.done : code
    }

    private func listen(_ isWanted: Bool) async {
        guard isInteractive else { return }
        if isWanted { await backend.startListening() } else { await backend.stopListening() }
    }
}
