import Scripting

/// Statements: Lua, SQL, commands.
extension ReplSession {
    /// What a text is; commands and questions are known by their first character.
    enum Statement: Equatable {
        case blank, incomplete
        case lua
        case sql([String])
        case command
        case help
    }

    func classify(_ text: String) async -> Statement {
        let start = text.first { !$0.isWhitespace }
        if start == "\\" { return .command }
        if start == "?" { return .help }
        switch await backend.classify(text) {
        case .blank: return .blank
        case .lua: return .lua
        case .incompleteLua, .incompleteSQL: return .incomplete
        case .sql(let statements): return .sql(statements)
        }
    }

    /// Runs a text that is whole; what is still open at the end of all input is run as it is.
    func perform(_ text: String, isLast: Bool = false) async -> Outcome {
        switch await classify(text) {
        case .blank: return .done
        case .incomplete where !isLast: return .done
        case .incomplete: return await performRest(text)
        case .lua:
            if let outcome = await answer(text) { return outcome }
            return await timed { await self.evaluate(text) }
        case .sql(let statements): return await run(statements)
        case .command: return await perform(command: text)
        case .help: return await help(text)
        }
    }

    /// Words that people try at a prompt they do not know, unless a variable has such a name.
    private func answer(_ text: String) async -> Outcome? {
        let word = text.filter { !$0.isWhitespace && !"();".contains($0) }
        guard isInteractive, ["exit", "quit", "help"].contains(word),
            !(await backend.luaNames(after: []).names.contains(word))
        else { return nil }
        return word == "help" ? show(BackslashCommand.help()) : .leave(Self.quit)
    }

    /// SQL may do without its last `;`.
    private func performRest(_ text: String) async -> Outcome {
        guard let statements = SQLInput(text)?.statements else { return await evaluate(text) }
        return await run(statements)
    }

    private func run(_ statements: [String]) async -> Outcome {
        for statement in statements {
            let outcome = await timed { await self.execute(statement) }
            guard case .done = outcome else { return outcome }
        }
        return .done
    }

    /// Runs one SQL statement and shows its result.
    func execute(_ sql: String) async -> Outcome {
        change { $0.lastStatement = sql + ";" }
        let output = output()
        let (backend, format, sink) = (backend, format, output.sink)
        let outcome = await interruptible { await backend.execute(sql, as: format, to: sink) }
        output.finish()
        refreshCatalog(after: sql)
        switch outcome {
        case .done: return .done
        case .failed(var report):
            // The place would be in the code around the statement.
            (report.place, report.calls) = (nil, [])
            return await fail(report, in: sql)
        case .interrupted: return interrupted()
        }
    }

    func evaluate(_ text: String) async -> Outcome {
        change { $0.lastStatement = text }
        let output = output()
        let (backend, format, sink) = (backend, format, output.sink)
        let outcome = await interruptible { await backend.evaluate(text, as: format, to: sink) }
        output.finish()
        Terminal.flush()
        refreshCatalog(after: text)
        switch outcome {
        case .done: return .done
        case .incomplete: return await fail(FailureReport("the input ends in the middle of a statement"), in: text)
        case .failed(let report): return await fail(report, in: text)
        case .interrupted: return interrupted()
        case .exited(let code): return .leave(code)
        }
    }

    func fail(_ report: FailureReport, in text: String = "") async -> Outcome {
        Terminal.writeError(FailureReporter(texts: ["stdin": text]).text(report))
        await backend.recover()
        return isInteractive ? .failed : .leave(ExitCode.failed)
    }

    func interrupted() -> Outcome {
        Terminal.writeError(isInteractive ? "\ninterrupted\n" : "interrupted\n")
        return isInteractive ? .failed : .leave(ExitCode.interrupted)
    }

    /// Names may have come or gone.
    private func refreshCatalog(after text: String) {
        guard editor != nil,
            text.contains(/(?i)\b(create|alter|drop|rename|search_path|import)\b/.wordBoundaryKind(.simple))
        else { return }
        catalog.refresh()
    }

    func timed(_ body: () async -> Outcome) async -> Outcome {
        guard state.isTimed else { return await body() }
        let start = ContinuousClock.now
        let outcome = await body()
        let milliseconds = (ContinuousClock.now - start) / .milliseconds(1)
        let tenths = Int((milliseconds * 1000).rounded())
        let digits = String(tenths % 1000)
        let text = "\(tenths / 1000).\(String(repeating: "0", count: 3 - digits.count))\(digits)"
        Terminal.writeError("Time: \(text) ms\n")
        return outcome
    }
}
