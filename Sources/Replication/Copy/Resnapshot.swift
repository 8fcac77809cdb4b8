import EventLoops
import Postgres
package import PostgresProtocol

/// Prepares a table to be copied anew by the next run. Lives on its worker's loop.
package struct Resnapshot {
    private let definition: PipelineDefinition
    private let worker: any PipelineWorker

    package init(_ definition: PipelineDefinition, _ worker: any PipelineWorker) {
        self.definition = definition
        self.worker = worker
    }

    /// False: another replhost streams the pipeline, and has been asked to copy the table.
    package func prepare(_ name: QualifiedName) async throws(ReplicationError) -> Bool {
        let connections = WorkerConnections(worker, snapshot: nil)
        defer { connections.release() }
        let selection = try await PipelineCatalog.selection(definition, on: try await connections.source())
        guard let table = selection.tables.first(where: { $0.source.name == name }) else {
            throw .unknownTable(name, .source, known: selection.tables.map(\.source.name))
        }
        let target = try await connections.target()
        let ledger = Ledger(target, pipeline: definition.name)
        guard try await ledger.exists(),
            let relation = try await ledger.relations().first(where: { $0.source == name })
        else { return true }
        guard try await ledger.lock() else {
            if definition.isStreaming, try await ledger.stream() != nil {
                try await ledger.requestResnapshot(of: name)
                return false
            }
            throw .mismatch(
                code: "RH3401", "pipeline \"\(definition.name)\" is being run by another replhost",
                hint: "Stop it first.")
        }
        do throws(ReplicationError) {
            try await ledger.endEarlierWork()
            try await ledger.forget(table, relation, in: selection)
            try await ledger.unlock()
            return true
        } catch {
            try? await ledger.unlock()
            throw error
        }
    }

    /// Prepares the tables that others have asked for while the stream ran.
    static func grantRequests(
        _ definition: PipelineDefinition, _ session: PipelineSession
    ) async throws(ReplicationError) {
        let ledger = session.ledger
        guard let requests = try await ledger.stream()?.resnapshot, !requests.isEmpty else { return }
        let selection = try await PipelineCatalog.selection(definition, on: session.source)
        let relations = try await ledger.relations()
        try await ledger.endEarlierWork()
        for name in requests {
            if let table = selection.tables.first(where: { $0.source.name == name }),
                let relation = relations.first(where: { $0.source == name })
            {
                try await ledger.forget(table, relation, in: selection)
            }
            try await ledger.forgetRequest(for: name)
        }
    }
}

extension Ledger {
    /// Forgets that a table was copied, and takes its rows away unless they are replaced by their key.
    func forget(
        _ table: SelectedTable, _ relation: Relation, in selection: TableSelection
    ) async throws(ReplicationError) {
        // Under another name it is another copy, and the old one is left alone.
        guard relation.target == table.targetName else { return try await removeRelation(table.source.name) }
        let merges = table.options.onConflict == .upsert
        guard merges || selection.sources(of: relation.target) == 1 else {
            throw .mismatch(
                code: "RH3407", "\(relation.target) has rows of other tables, too: they cannot be told apart",
                hint: "With on_conflict = \"upsert\" rows are replaced by their key.")
        }
        try await forget(table.source.name, emptying: merges ? nil : relation.target)
    }
}
