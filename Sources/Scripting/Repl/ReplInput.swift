/// What to do with what was typed so far.
package enum ReplInput: Equatable, Sendable {
    case blank
    case lua
    case incompleteSQL
    case sql([String])
}

extension ScriptHost {
    /// What compiles as Lua is Lua, or may become Lua with more lines; else what begins like a SQL statement is SQL.
    package func classify(_ text: String) async -> ReplInput {
        if text.allSatisfy(\.isWhitespace) { return .blank }
        guard let sql = SQLInput(text), await !isLua(text, beginningWith: sql.word) else { return .lua }
        return sql.isComplete ? .sql(sql.statements) : .incompleteSQL
    }

    /// `begin;` and `values (1), (2);` compile, too: an expression that begins with an undefined variable is not meant.
    private func isLua(_ text: String, beginningWith word: String) async -> Bool {
        let code = """
            local text, word = \(LuaLiteral.quoted(text)), \(LuaLiteral.quoted(word))
            local reserved = { ["do"] = true, ["end"] = true }
            if load("return " .. text) then return reserved[word] ~= nil or rawget(_G, word) ~= nil end
            local chunk, message = load(text)
            return chunk ~= nil or message:find("near <eof>$") ~= nil
            """
        guard case .values(let values) = await evaluate(code) else { return true }
        return values == ["true"]
    }

    /// Runs one SQL statement on the session's connection `conn`, which is borrowed from `pool` when there is none.
    package func execute(sql: String) async -> EvaluationOutcome {
        await evaluate("return require('replhost.repl').run(\(LuaLiteral.quoted(sql)))")
    }
}
