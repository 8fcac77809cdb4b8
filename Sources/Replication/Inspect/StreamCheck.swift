import Postgres
import PostgresProtocol

/// What would keep changes from being followed.
struct StreamCheck {
    private let definition: PipelineDefinition
    private let source: Connection
    private let target: Connection

    init(_ definition: PipelineDefinition, _ source: Connection, _ target: Connection) {
        self.definition = definition
        self.source = source
        self.target = target
    }

    func notes(
        _ selection: TableSelection, _ existing: [QualifiedName: CatalogTable]
    ) async throws(ReplicationError) -> [CheckNote] {
        var notes: [CheckNote] = []
        do throws(ReplicationError) { try await StreamRequirements.check(source) } catch {
            notes.append(.failure(error))
        }
        let names = try await StreamNames.read(
            definition.name, Ledger(target, pipeline: definition.name), source: source, target: target)
        notes += try await slots(names)
        let identities = try await Publications(source, names).identities(selection.tables.map(\.source))
        for table in selection.tables { notes += check(table, existing, identities[table.source.oid]) }
        return notes
    }

    private func slots(_ names: StreamNames) async throws(ReplicationError) -> [CheckNote] {
        if try await SlotState.read(names.slot, on: source) != nil { return [] }
        do throws(PostgresError) {
            let result = try await source.query(
                "SELECT (SELECT count(*) FROM pg_replication_slots), current_setting('max_replication_slots')::int8", []
            )
            let (used, most) = (try result.number(0, 0) ?? 0, try result.number(0, 1) ?? 0)
            return used < most ? [] : [.noFreeSlot(used: used, of: most)]
        } catch {
            throw .database(.source, error, doing: "reading replication slots")
        }
    }

    /// - Parameter identity: the columns that the source sends of old rows; nil if it sends none.
    private func check(
        _ table: SelectedTable, _ existing: [QualifiedName: CatalogTable], _ identity: [String]?
    ) -> [CheckNote] {
        guard let identity else { return [.insertsOnly(table.source.name)] }
        guard let mapping = try? TableMapping(table, target: existing[table.targetName] ?? table.expectedTarget) else {
            return []
        }
        let sent = Set(identity)
        let missing = mapping.key.filter { key in
            !mapping.columns.contains { $0.target == key && sent.contains($0.source) }
        }
        return missing.isEmpty ? [] : [.keyNotSent(table.source.name, columns: missing)]
    }
}
