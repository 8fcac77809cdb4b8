import Foundation
import PostgresProtocol
import Scripting
import TestSupport
import Testing

/// A pipeline file between two databases of a server, and what commands do with it.
struct PipelineFile {
    let server: TestServer
    let source: String
    let target: String
    private let path: String

    /// `text` finds the pools in `source` and `sink`, and `rh`.
    init(_ text: String, on server: TestServer? = nil) throws {
        let server = try server ?? TestServer.shared()
        self.server = server
        source = try server.makeDatabase()
        target = try server.makeDatabase()
        path = try ConsoleProcess.makeFile("pipeline.lua", "")
        try write(text)
    }

    /// Replaces the file's text.
    func write(_ text: String) throws {
        let pools = """
            local rh = require "replhost"
            local source, sink = rh.pool { dsn = "\(source)" }, rh.pool { dsn = "\(target)" }
            """
        try (pools.replacing("\n", with: "; ") + "\n" + text).write(toFile: path, atomically: true, encoding: .utf8)
    }

    func run(onSource statements: String...) throws { for text in statements { try server.run(text, in: source) } }

    func run(onTarget statements: String...) throws { for text in statements { try server.run(text, in: target) } }

    /// Loads the file and runs `command` on it.
    func perform<Value: Sendable>(
        _ command: (ScriptHost) async -> PipelineOutcome<Value>
    ) async throws -> PipelineOutcome<Value> {
        let host = try await ScriptHost.start(ScriptOptions())
        let outcome: PipelineOutcome<Value>
        switch await host.run(.file(path)) {
        case .finished: outcome = await command(host)
        case .failed(let failures): outcome = .failed(failures.map { FailureReport($0) })
        case .interrupted, .exited: outcome = .interrupted
        }
        await host.close()
        return outcome
    }

    func copy() async throws -> PipelineOutcome<[PipelineResult]> {
        try await perform { await $0.runPipelines() }
    }
}

extension PipelineOutcome {
    /// What the command came to; a failure is the test's.
    func value(_ location: SourceLocation = #_sourceLocation) throws -> Value {
        switch self {
        case .done(let value): return value
        case .interrupted: throw Issue.record("interrupted", sourceLocation: location).asError
        case .failed(let reports):
            throw Issue.record("\(reports.map { "\($0)" })", sourceLocation: location).asError
        }
    }

    var failure: FailureReport? {
        if case .failed(let reports) = self { reports.first } else { nil }
    }
}

private struct UnexpectedOutcome: Error {}

extension Issue {
    fileprivate var asError: UnexpectedOutcome { UnexpectedOutcome() }
}
