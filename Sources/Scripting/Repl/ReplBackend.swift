import CLua
import EventLoops
import LuaRuntime
import Postgres
import Synchronization

/// What a prompt needs of a host: Lua code, SQL on one session, and what the session has to say while nobody asks.
///
/// The session is the global `conn`, borrowed from the global `pool` when there is none.
// Safe: but for `facts`, which has a lock, everything is used on the host's loop only.
package final class ReplBackend: @unchecked Sendable {
    /// What a prompt shows.
    package struct Facts: Equatable, Sendable {
        /// nil while there is no connection.
        package var database: String?
        package var transaction = Transaction.none
    }

    package enum Transaction: Sendable {
        case none, open, failed
    }

    /// What comes by itself.
    package enum Event: Equatable, Sendable {
        /// NOTICE, WARNING and the like, as psql shows them.
        case notice(String)
        case notification(channel: String, payload: String, pid: Int32)
        /// The session is gone, perhaps with an open transaction.
        case lost(reason: String, transaction: Bool)
        /// There is a new session, which does not have these things of the old one.
        case connectedAnew(without: [String])
        case notConnected(FailureReport)
        /// The prompt has become another one.
        case factsChanged
    }

    package let host: ScriptHost
    let onEvent: @Sendable (Event) -> Void
    private let currentFacts = Mutex(Facts())
    var memory = SessionMemory()
    /// What `memory` is about, and whether a transaction was open there after the last statement.
    var lease: Lease?
    var lastTransaction = Transaction.none
    /// What went with an old session, until there is a new one.
    var losses: [String]?
    var watch: Task<Void, Never>?
    private var library: LuaReference?

    /// `onEvent` is called on the host's thread.
    package init(_ host: ScriptHost, onEvent: @escaping @Sendable (Event) -> Void) {
        self.host = host
        self.onEvent = onEvent
    }

    /// As it was after the last statement; from any thread.
    package var facts: Facts { currentFacts.withLock { $0 } }

    /// On the host's loop.
    func noteFacts() {
        let connection = (try? worker()).flatMap(sessionConnection)
        let isUsable = connection.map { !$0.isBroken } ?? false
        lastTransaction = isUsable ? Transaction(connection?.transactionStatus ?? .unknown) : .none
        let facts = Facts(database: isUsable ? connection?.database : nil, transaction: lastTransaction)
        currentFacts.withLock { $0 = facts }
    }

    func worker() throws(ScriptError) -> ScriptWorker { try host.makeWorker(for: .text("", name: "=stdin")) }
}

extension ReplBackend.Transaction {
    init(_ status: TransactionStatus) {
        switch status {
        case .idle, .active, .unknown: self = .none
        case .inTransaction: self = .open
        case .inError: self = .failed
        }
    }
}

// MARK: - Lua

/// What came of Lua code.
package enum LuaOutcome: Sendable {
    case done
    case incomplete
    case failed(FailureReport)
    case interrupted
    case exited(code: Int32)
}

extension ReplBackend {
    /// Runs Lua code; what it returns is written, unless a `;` ends it, and the first of it is `_` from then on.
    package func evaluate(_ text: String, as format: ResultFormat, to sink: any ResultSink) async -> LuaOutcome {
        let isQuiet = text.last { !$0.isWhitespace } == ";"
        return await host.actor.run { [self] _ in
            defer { noteFacts() }
            do throws(ScriptError) {
                let worker = try worker()
                if Self.asksForSession(text), sessionLease(worker) == nil, sessionPool(worker) != nil {
                    _ = try await session(worker)
                }
                hear(sessionLease(worker))
                guard try host.loadLine(text, in: worker) else { return .incomplete }
                let task = worker.start()
                let outcome = await host.finish(worker, task)
                guard case .finished = outcome else { return Self.outcome(outcome) }
                keepFirst(of: task, worker)
                return isQuiet ? .done : try await show(task, worker, format, sink)
            } catch {
                return .failed(FailureReport(error))
            }
        }
    }

    /// `conn` is there for whoever names it, though nobody has connected yet.
    private static func asksForSession(_ text: String) -> Bool { text.contains(/\bconn\b/.wordBoundaryKind(.simple)) }

    private static func outcome(_ outcome: ScriptOutcome) -> LuaOutcome {
        switch outcome {
        case .finished: .done
        case .exited(let code): .exited(code: code)
        case .interrupted: .interrupted
        case .failed(let failures): .failed(failures.first.map { FailureReport($0) } ?? FailureReport("failed"))
        }
    }

    /// Runs code of our own, and gives its results as text.
    package func call(_ text: String) async -> Result<[String], FailureReport> {
        switch await host.evaluate(text) {
        case .values(let values): .success(values)
        case .failed(let failure): .failure(FailureReport(failure))
        case .interrupted: .failure(FailureReport("interrupted"))
        case .incomplete, .exited: .failure(FailureReport("the code did not run to its end"))
        }
    }

    /// `_`, the last value.
    private func keepFirst(of task: LuaTask, _ worker: ScriptWorker) {
        guard let results = task.results, results.count > 0, (try? results.reserve(2)) != nil else { return }
        results.pushCopy(of: 1)
        setGlobal("_", from: results, worker)
    }

    /// Pops a value from `source`.
    func setGlobal(_ name: String, from source: LuaStack, _ worker: ScriptWorker) {
        let stack = worker.state.stack
        if source.thread != stack.thread { lua_xmove(source.thread, stack.thread, 1) }
        stack.pushGlobals()
        lua_rotate(stack.thread, -2, 1)
        stack.setField(name, of: -2)
        stack.pop()
    }

    private func show(
        _ task: LuaTask, _ worker: ScriptWorker, _ format: ResultFormat, _ sink: any ResultSink
    ) async throws(ScriptError) -> LuaOutcome {
        guard let results = task.results else { return .done }
        let output = ResultOutput(sink)
        for index in 0..<results.count {
            if let result = results.object(at: index + 1, ResultObject.type) {
                try result.write(from: results, at: index + 1, worker.rows, format, output)
            } else {
                let shown = try await showing(index + 1, of: results, worker, format)
                if case .failure(let outcome) = shown { return outcome }
                if case .success(let text) = shown { output.write(text + "\n") }
            }
        }
        output.flush()
        return .done
    }

    private enum Shown {
        case success(String)
        case failure(LuaOutcome)
    }

    /// What `replhost.repl` makes of a value: a metamethod of the script's may take its time, or fail.
    private func showing(
        _ index: Int32, of results: LuaStack, _ worker: ScriptWorker, _ format: ResultFormat
    ) async throws(ScriptError) -> Shown {
        let stack = worker.state.stack
        stack.push(try await library(worker))
        stack.getField(format.kind == .json ? "json" : "pretty", of: -1)
        stack.remove(at: -2)
        try results.reserve(1)
        results.pushCopy(of: index)
        lua_xmove(results.thread, stack.thread, 1)
        stack.push(Int64(format.width))
        let task = worker.scheduler.spawn(stack, arguments: 2, origin: nil)
        let outcome = await host.finish(worker, task)
        guard case .finished = outcome else { return .failure(Self.outcome(outcome)) }
        return .success(task.firstResult ?? "")
    }

    func library(_ worker: ScriptWorker) async throws(ScriptError) -> LuaReference {
        if let library { return library }
        try worker.state.load("return require 'replhost.repl'", named: "=repl")
        let task = worker.scheduler.spawn(worker.state.stack, arguments: 0, origin: nil)
        _ = await host.finish(worker, task)
        guard let results = task.results, results.type(at: 1) == .table else {
            throw task.failure?.error ?? ScriptError(code: "RH1006", "cannot load replhost.repl")
        }
        results.pushCopy(of: 1)
        lua_xmove(results.thread, worker.state.stack.thread, 1)
        let reference = worker.state.stack.makeReference()
        library = reference
        return reference
    }
}

extension ResultObject {
    /// Writes all rows of the result at `index`.
    func write(
        from stack: LuaStack, at index: Int32, _ rows: RowLibrary, _ format: ResultFormat, _ output: ResultOutput
    ) throws(ScriptError) {
        let formatter = format.formatter(result.columns.map { OutputColumn($0.name, $0.type) }, output)
        try stack.reserve(8)
        for position in 0..<result.count where !output.isClosed {
            pushRow(position + 1, at: index, to: stack)
            defer { stack.pop() }
            let row = try RowLibrary.row(at: -1, of: stack, "tostring")
            try write(row, stack, rows, formatter)
        }
        formatter.end(result.command)
    }

    private func write(
        _ row: RowUserdata, _ stack: LuaStack, _ rows: RowLibrary, _ formatter: any RowFormatter
    ) throws(ScriptError) {
        var bytes: [UInt8] = []
        var ranges: [Range<Int>?] = []
        for column in result.columns.indices {
            try rows.pushValue(of: row, column, at: stack.count, to: stack)
            let text = DisplayText.text(of: -1, stack)
            let start = bytes.count
            if let text { bytes += text.utf8 }
            ranges.append(text == nil ? nil : start..<bytes.count)
            stack.pop()
        }
        bytes.withUnsafeBytes { all in
            formatter.add(ranges.map { $0.map { UnsafeRawBufferPointer(rebasing: all[$0]) } })
        }
    }
}
