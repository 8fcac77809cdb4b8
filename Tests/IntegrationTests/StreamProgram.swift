import Foundation
import TestSupport
import Testing

/// A pipeline file with functions, and the program that runs it, between two databases of the shared server.
struct StreamProgram {
    let server: TestServer
    let source: String
    let target: String
    let path: String

    /// - Parameters:
    ///   - tables: what stands in the pipeline's `tables`.
    ///   - options: other options, each with its comma.
    ///   - before: Lua code before the pipeline.
    init(_ tables: String, options: String = "", before: String = "") throws {
        server = try TestServer.shared()
        source = try server.makeDatabase()
        target = try server.makeDatabase()
        path = try ConsoleProcess.makeFile("stream.lua", "")
        try write(tables, options: options, before: before)
    }

    func write(_ tables: String, options: String = "", before: String = "") throws {
        let text = """
            local rh = require "replhost"
            \(before)
            return rh.pipeline "stream" { heartbeat = 1, \(options)
              source = rh.pool { dsn = "\(source)" }, sink = rh.pool { dsn = "\(target)" },
              tables = { \(tables) } }
            """
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// Writes a module beside the file.
    func write(module: String, _ text: String) throws {
        let directory = (path as NSString).deletingLastPathComponent
        try text.write(toFile: "\(directory)/\(module).lua", atomically: true, encoding: .utf8)
    }

    func run(onSource statements: String...) throws { try run(onSource: statements) }

    func run(onSource statements: [String]) throws { for text in statements { try server.run(text, in: source) } }

    /// Of the target.
    func answer(_ sql: String) throws -> String { try server.run(sql, in: target) }

    /// How many replication slots the source's database has.
    func slots() throws -> String {
        try server.run("select count(*) from pg_replication_slots where database = current_database()", in: source)
    }

    /// Follows the changes up to now.
    @discardableResult
    func follow(_ location: SourceLocation = #_sourceLocation) async throws -> ConsoleProcess.Output {
        let result = try await ConsoleProcess.run("run", "--once", path)
        #expect(result.status == 0, "\(result.errors)", sourceLocation: location)
        return result
    }

    /// The program, when it follows changes.
    func started(_ options: String...) async throws -> ConsoleProcess {
        let process = try ConsoleProcess(["run"] + options + [path])
        try #require(await eventually { process.errors.contains("following changes") }, "\(process.errors)")
        return process
    }
}
