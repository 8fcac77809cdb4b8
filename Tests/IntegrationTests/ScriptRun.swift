import LuaRuntime
import Sandbox
import Scripting
import TestSupport
import Testing

/// Scripts against a real server, one at a time: closing a host closes every pool of the process.
@Suite(.serialized, .onServer) enum ScriptTests {}

/// Runs Lua texts through a `ScriptHost` of their own.
enum ScriptRun {
    /// On the first line of every test's script, so that lines keep their numbers.
    private static let prelude =
        [
            "local rh, dsn = require 'replhost', arg[1]",
            "local function shown(v) return ('%s (%s)'):format(tostring(v), math.type(v) or type(v)) end",
            "local function eq(got, want, what) if got ~= want and (got == got or want == want) "
                + "or math.type(got) ~= math.type(want) then "
                + "error(('%s: got %s, expected %s'):format(what or 'value', shown(got), shown(want)), 2) end end",
            "local function raises(text, fn, ...) local ok, e = pcall(fn, ...) if ok then error('nothing was raised', 2) end "
                + "if not tostring(e):find(text, 1, true) then "
                + "error(('raised %q, expected %q'):format(tostring(e), text), 2) end return e end",
        ].joined(separator: " ") + " "

    /// Runs `script`, which raises if something is not as it should be. It finds `rh`, `dsn`, `eq(got, want, what)` and
    /// `raises(text, fn, …)`. With a `directory`, it is a file there.
    static func passes(
        _ script: String, in directory: String? = nil, options: ScriptOptions = ScriptOptions(),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let outcome = try await outcome(of: prelude + script, in: directory, options: options)
        guard case .finished = outcome else {
            Issue.record(Comment(rawValue: describe(outcome)), sourceLocation: sourceLocation)
            return
        }
    }

    /// The first failure of `script`, which is expected to fail.
    static func failure(of script: String, options: ScriptOptions = ScriptOptions()) async throws -> LuaFailure {
        let outcome = try await outcome(of: prelude + script, options: options)
        guard case .failed(let failures) = outcome, let first = failures.first else {
            throw DidNotFail(outcome: outcome)
        }
        return first
    }

    /// Runs a script with `arg[1]` as the DSN of the shared database. It is interrupted after a minute.
    /// `during` runs beside it.
    static func outcome(
        of script: String, in directory: String? = nil, options: ScriptOptions = ScriptOptions(),
        during: @escaping @Sendable (ScriptHost) async throws -> Void = { _ in }
    ) async throws -> ScriptOutcome {
        var options = options
        options.arguments.insert(try await server().conninfo(), at: 0)
        let host = try await ScriptHost.start(options)
        let limit = Task {
            try await Task.sleep(for: .seconds(60))
            host.interrupt()
        }
        defer { limit.cancel() }
        async let companion: Void = during(host)
        let source = try directory.map { ScriptSource.file(try write(script, in: $0)) }
        let outcome = await host.run(source ?? .text(script, name: "=test"))
        await host.close()
        try await companion
        return outcome
    }

    @BlockingThread
    static func server() throws -> TestServer { try TestServer.shared() }

    private static func write(_ script: String, in directory: String) throws -> String {
        let path = directory + "/main.lua"
        try FileTree.append(script, to: path)
        return path
    }

    static func describe(_ outcome: ScriptOutcome) -> String {
        switch outcome {
        case .finished: "finished"
        case .exited(let code): "exited with \(code)"
        case .interrupted: "interrupted"
        case .failed(let failures):
            failures.map { "\($0.position ?? "?"): \($0.error.message)\n\($0.traceback)" }.joined(separator: "\n")
        }
    }

    struct DidNotFail: Error {
        let outcome: ScriptOutcome
    }
}
