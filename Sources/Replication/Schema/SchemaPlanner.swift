package import Postgres
package import PostgresProtocol

/// Plans the tables of a first copy in the target, from the source's catalog and with the server's own deparsers.
///
/// What the target has already, by kind and name, is left out: planned again after a crash, what comes back is what is
/// still missing. Not made: views, rules, row security, privileges, event triggers, publications, aggregates,
/// operators and operator classes outside of extensions, tablespaces.
package enum SchemaPlanner {
    /// `made`: targets that earlier runs have created; they are completed. Other tables that exist are the user's own
    /// and stay as they are. `largeIndex`: from this size on, in bytes, an index is made before the constraint that owns
    /// it. Both connections on the loop this runs on.
    package static func plan(
        _ requests: [SchemaRequest], made: Set<QualifiedName> = [], largeIndex: Int = 1 << 20, source: Connection,
        target: Connection
    ) async throws(ReplicationError) -> SchemaPlan {
        let from = SchemaSession(connection: source, side: .source)
        let to = SchemaSession(connection: target, side: .target)
        let sourceEntry = try await from.enter()
        do throws(ReplicationError) {
            let targetEntry = try await to.enter()
            do throws(ReplicationError) {
                var draft = SchemaDraft(requests, made: made, largeIndex: largeIndex, source: from, target: to)
                if try await draft.read() {
                    draft.makePreData()
                    try await draft.makePostData()
                    draft.makeSchemas()
                }
                try await to.leave(targetEntry)
                try await from.leave(sourceEntry)
                return draft.plan
            } catch {
                await to.abandon(targetEntry)
                throw error
            }
        } catch {
            await from.abandon(sourceEntry)
            throw error
        }
    }
}
