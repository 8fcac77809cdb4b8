import PostgresProtocol
import Replication
import TestSupport
import Testing

extension CopyHarness {
    /// Follows the changes while `body` runs, and until everything that it has done is in the target.
    func following(
        _ options: TableOptions = TableOptions(), progress: StreamProgress = StreamProgress(),
        change: @escaping @Sendable (inout PipelineDefinition) -> Void = { _ in }, _ body: () async throws -> Void
    ) async throws {
        let control = StreamControl()
        let task = Task { try await self.follow(options, control: control, progress: progress, change: change) }
        do {
            try await body()
            control.finish(at: try sourceEnd())
        } catch {
            task.cancel()
            _ = try? await task.value
            throw error
        }
        let end = try await task.value
        #expect(end == .caughtUp)
    }

    /// Where the source's log ends.
    func sourceEnd() throws -> LSN {
        try #require(LSN(server.run("select pg_current_wal_insert_lsn()", in: source)))
    }

    /// Runs more than fits a command line.
    func run(fileOnSource statements: [String]) throws {
        let text = statements.filter { !$0.isEmpty }.joined(separator: ";\n") + ";\n"
        let path = try ConsoleProcess.makeFile("statements.sql", text)
        try server.run("\\i \(path)", in: source)
    }

    /// Compares rows of tables on both sides.
    func expectEqual(_ tables: String..., location: SourceLocation = #_sourceLocation) throws {
        for table in tables {
            let sides = try answers(Self.checksum(of: table))
            #expect(sides.source == sides.target, "\(table)", sourceLocation: location)
        }
    }
}
