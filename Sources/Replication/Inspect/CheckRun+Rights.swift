import Postgres
import PostgresProtocol

extension CheckRun {
    /// What the users of both sides may not do.
    func rights(
        _ selection: TableSelection, _ existing: [QualifiedName: CatalogTable], _ source: Connection,
        _ target: Connection
    ) async throws(ReplicationError) -> [CheckNote] {
        let sources = selection.tables.map(\.source.name)
        let unreadable = try await names(
            of: sources, where: "NOT has_table_privilege(c.oid, 'SELECT')", source, .source)
        let unwritable = try await names(
            of: Array(existing.keys), where: "NOT has_table_privilege(c.oid, 'INSERT')", target, .target)
        let schemas = Set(
            selection.tables.filter { existing[$0.targetName] == nil && $0.options.creates }
                .map { $0.targetName.schema ?? "public" })
        let closed = try await closedSchemas(Array(schemas), target)
        let firing =
            try await mayBeReplica(target)
            ? []
            : try await names(
                of: Array(existing.keys),
                where: "EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgenabled <> 'D')", target,
                .target)
        return unreadable.map { .noSelectRight($0) } + unwritable.map { .noInsertRight($0) }
            + closed.map { .noCreateRight(schema: $0) } + firing.map { .triggersFire($0) }
    }

    private func names(
        of tables: [QualifiedName], where condition: String, _ connection: Connection, _ side: ReplicationError.Side
    ) async throws(ReplicationError) -> [QualifiedName] {
        do throws(PostgresError) {
            let result = try await connection.query(
                """
                SELECT n.nspname::text, c.relname::text
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE (n.nspname, c.relname) IN (SELECT * FROM unnest($1::text[], $2::text[]))
                  AND \(condition) ORDER BY 1, 2
                """, [.texts(tables.map { $0.schema ?? "public" }), .texts(tables.map(\.name))])
            var names: [QualifiedName] = []
            for row in 0..<result.count {
                names.append(
                    QualifiedName(schema: try result.text(of: 0, row: row), name: try result.text(of: 1, row: row)))
            }
            return names
        } catch {
            throw .database(side, error, doing: "reading rights")
        }
    }

    /// Schemas in which no table can be made; a missing one, if no schema can.
    private func closedSchemas(
        _ schemas: [String], _ target: Connection
    ) async throws(ReplicationError) -> [String] {
        do throws(PostgresError) {
            let result = try await target.query(
                """
                SELECT s.name FROM unnest($1::text[]) AS s (name) LEFT JOIN pg_namespace n ON n.nspname = s.name
                WHERE NOT CASE WHEN n.oid IS NULL THEN has_database_privilege(current_database(), 'CREATE')
                  ELSE has_schema_privilege(n.oid, 'CREATE') END
                ORDER BY 1
                """, [.texts(schemas)])
            var names: [String] = []
            for row in 0..<result.count { names.append(try result.text(of: 0, row: row)) }
            return names
        } catch {
            throw .database(.target, error, doing: "reading rights")
        }
    }

    private func mayBeReplica(_ target: Connection) async throws(ReplicationError) -> Bool {
        do { return try await ReplicaRole.isAllowed(on: target) } catch {
            throw .database(.target, error, doing: "reading rights")
        }
    }
}

/// `session_replication_role`: with it, triggers and foreign keys do not fire.
enum ReplicaRole {
    static func isAllowed(on connection: Connection) async throws(PostgresError) -> Bool {
        let right =
            connection.serverVersion >= 150_000
            ? "has_parameter_privilege('session_replication_role', 'SET')" : "false"
        return try await connection.query(
            "SELECT rolsuper OR \(right) FROM pg_roles WHERE rolname = current_user", []
        ).isTrue(0, 0)
    }
}
