import EventLoops
import LuaRuntime

/// What to do with what was typed so far.
package enum ReplInput: Equatable, Sendable {
    case blank
    case lua
    case incompleteLua
    case incompleteSQL
    case sql([String])
}

extension ReplBackend {
    /// What compiles as Lua is Lua; else what begins like a SQL statement is SQL, up to its `;`. What may become Lua with
    /// more lines is incomplete, unless it is whole as SQL.
    package func classify(_ text: String) async -> ReplInput {
        if text.allSatisfy(\.isWhitespace) { return .blank }
        return await host.actor.run { [self] _ in
            guard let worker = try? worker() else { return .lua }
            return classify(text, worker)
        }
    }

    private func classify(_ text: String, _ worker: ScriptWorker) -> ReplInput {
        let sql = SQLInput(text)
        switch Self.compile(text, worker) {
        case .expression:
            // `begin;` and `values (1), (2);` compile, too: one that begins with an undefined variable is not meant.
            guard let sql, !Self.isMeant(sql.word, worker) else { return .lua }
            return sql.input
        case .statements: return .lua
        case .incomplete:
            guard let sql, !Self.reserved.contains(sql.word), sql.isComplete else { return .incompleteLua }
            return sql.input
        case .wrong: return sql?.input ?? .lua
        }
    }

    private enum Compilation {
        case expression, statements, incomplete, wrong
    }

    private static func compile(_ text: String, _ worker: ScriptWorker) -> Compilation {
        if compiles("return \(text)", worker) == nil { return .expression }
        guard let message = compiles(text, worker) else { return .statements }
        return message.hasSuffix("<eof>") ? .incomplete : .wrong
    }

    /// The compiler's message, nil if it has none.
    private static func compiles(_ text: String, _ worker: ScriptWorker) -> String? {
        do throws(ScriptError) {
            try worker.state.load(text, named: "=stdin")
            worker.state.stack.pop()
            return nil
        } catch {
            return error.message
        }
    }

    /// Words that begin statements of both languages.
    private static let reserved: Set<String> = ["do", "end"]

    private static func isMeant(_ word: String, _ worker: ScriptWorker) -> Bool {
        guard !reserved.contains(word) else { return true }
        let stack = worker.state.stack
        stack.pushGlobals()
        defer { stack.pop(2) }
        return stack.getField(word, of: -1) != .nil
    }
}

extension SQLInput {
    fileprivate var input: ReplInput { isComplete ? .sql(statements) : .incompleteSQL }
}
