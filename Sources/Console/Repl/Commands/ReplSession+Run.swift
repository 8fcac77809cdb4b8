import Scripting

/// Commands on a run: the one that the session has joined, and the pipelines of its own script.
extension ReplSession {
    private static let usualChanges = 10

    /// `\status`.
    func showRun() async -> Outcome {
        switch await lookAtRun() {
        case .failure(let report): return await fail(report)
        case .success(let document):
            return show(TopScreen.text(document, RunRates(run?.document, document)))
        }
    }

    /// `\tasks`.
    func showTasks() async -> Outcome {
        switch await lookAtRun() {
        case .failure(let report): return await fail(report)
        case .success(let document): return show(Self.tasks(document))
        }
    }

    private static func tasks(_ document: RunDocument) -> String {
        let columns = [
            ResultTable.Column("Thread"), .init("Begun at"), .init("State"), .init("Age", isNumeric: true),
            .init("Lua memory", isNumeric: true),
        ]
        let rows = document.workers.flatMap { worker in
            let memory = Figures.size(Double(worker.luaBytes))
            let name = worker.busy ? "\(worker.name) (busy)" : worker.name
            guard !worker.tasks.isEmpty else { return [[name, "", "no task", "", memory] as [String?]] }
            return worker.tasks.map { task in
                [
                    name, task.origin ?? "(by replhost)", task.timer ? "\(task.state), timer" : task.state,
                    Figures.clock(.seconds(task.ageSeconds)), memory,
                ]
            }
        }
        return ResultTable.render(columns: columns, rows: rows) + "\n"
    }

    /// `\pool` of a session that has joined a run.
    func showRunPools() async -> Outcome {
        switch await lookAtRun() {
        case .failure(let report): return await fail(report)
        case .success(let document):
            let names = ["In use", "Idle", "Open", "Waiting", "Max", "Borrowed so far"]
            let columns = [ResultTable.Column("Pool of the run")] + names.map { .init($0, isNumeric: true) }
            let rows = document.pools.map { pool in
                [pool.name as String?]
                    + [pool.inUse, pool.idle, pool.size, pool.waiting, pool.max, pool.acquired].map { String($0) }
            }
            return show(ResultTable.render(columns: columns, rows: rows) + "\n")
        }
    }

    /// `\tap [table [n [function]]]`.
    func tap(_ line: BackslashLine) async -> Outcome {
        let words = line.arguments
        guard let count = words.count > 1 ? Int(words[1]) : Self.usualChanges, count > 0 else {
            return await wrong(.tap, "a table, a number of changes and a function expected")
        }
        let function = words.count > 2 ? String(line.rest.drop(words: 2)) : nil
        let (backend, table) = (backend, words.first)
        let view = TapView(width: Terminal.outputWidth, reporter: FailureReporter())
        let shown = TapCount()
        let outcome = await interruptible {
            await backend.tap(table: table, function: function) { event in
                switch event {
                case .begun: Terminal.writeError("showing what is committed from now on; Ctrl-C ends it\n")
                case .rest: Terminal.flush()
                case .change(let report):
                    Terminal.write(view.text(report, Terminal.outputPalette))
                    return shown.next() < count
                }
                return true
            }
        }
        Terminal.flush()
        switch outcome {
        case .done, .interrupted: return .done
        case .failed(let reports): return await fail(reports.first ?? FailureReport("failed"))
        }
    }

    private func lookAtRun() async -> Result<RunDocument, FailureReport> {
        guard let run else {
            return .failure(
                FailureReport(
                    code: "RH0313", "this session has not joined a run", hint: "Begin it with: replhost attach."))
        }
        guard let document = await Blocking.run({ run.look()?.document }) else {
            return .failure(
                FailureReport(
                    code: "RH0121", "the run has ended: \(run.title)", hint: "The session goes on without it."))
        }
        return .success(document)
    }
}

extension String {
    /// What is behind so many words.
    fileprivate func drop(words count: Int) -> Substring {
        (0..<count).reduce(self[...]) { rest, _ in
            rest.drop { $0.isWhitespace }.drop { !$0.isWhitespace }
        }.drop { $0.isWhitespace }
    }
}
