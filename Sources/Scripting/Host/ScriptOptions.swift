package import LuaRuntime

/// How a script is run.
package struct ScriptOptions: Sendable {
    package var permissions: Permissions = []
    /// No `io` and no `os` at all.
    package var isStrict = false
    /// For each worker, in bytes; 0 = none.
    package var memoryLimit = 256 << 20
    /// How long Lua code may run without waiting; nil = for ever.
    package var timeLimit: Duration? = .seconds(10)
    /// Reports of errors may show what stands in rows.
    package var showsValues = false
    /// Commands mean the way back of pipelines that were cut over, from the target to the source.
    package var isWayBack = false
    /// What the script finds in `arg`.
    package var arguments: [String] = []

    /// Copies of the options have the same ones.
    let pools = PoolRegistry()
    /// The same.
    let figures = SharedFigures()

    package init() {}
}

/// Where a script comes from.
package enum ScriptSource: Sendable {
    case file(String)
    /// `name` as Lua names chunks: "=stdin".
    case text(String, name: String)

    /// Nil for a text.
    var absolutePath: String? { if case .file(let path) = self { StandardLibrary.realPath(path) } else { nil } }
}

/// How a script ended.
package enum ScriptOutcome: Sendable {
    case finished
    /// `os.exit(code)`.
    case exited(code: Int32)
    case interrupted
    /// The script's own failure first, then those of tasks that nobody waited for.
    case failed([LuaFailure])
}

/// What came of a line of a REPL.
package enum EvaluationOutcome: Sendable {
    /// As a REPL shows them.
    case values([String])
    /// The text is the beginning of a chunk.
    case incomplete
    case failed(LuaFailure)
    case interrupted
    case exited(code: Int32)
}
