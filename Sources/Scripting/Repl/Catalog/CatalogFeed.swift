import EventLoops
import Postgres
import Synchronization

/// Reads the names of the session's database again and again, when asked: on a connection and a thread of its own, while
/// the prompt goes on.
package final class CatalogFeed: Sendable {
    private enum Phase {
        case idle
        case reading
        /// Asked for once more while it was being read.
        case stale
    }

    private struct State {
        var phase = Phase.idle
        var catalog = NameCatalog.empty
        var loop: EventLoop?
        var work: Task<Void, Never>?
    }

    private let backend: ReplBackend
    private let state = Mutex(State())

    package init(_ backend: ReplBackend) { self.backend = backend }

    /// As it was read last.
    package var catalog: NameCatalog { state.withLock { $0.catalog } }

    /// Returns at once. A database that cannot be reached leaves the catalog as it is.
    package func refresh() {
        state.withLock { state in
            switch state.phase {
            case .idle:
                state.phase = .reading
                let loop = state.loop ?? EventLoop(name: "catalog")
                state.loop = loop
                // The loop as preferred executor: code that Swift takes for code without isolation stays on it, too.
                state.work = Task(executorPreference: loop) { await self.read(on: loop) }
            case .reading: state.phase = .stale
            case .stale: break
            }
        }
    }

    package func close() async {
        let (work, loop) = state.withLock { ($0.work, $0.loop) }
        work?.cancel()
        await work?.value
        loop?.stop()
    }

    private func read(on loop: EventLoop) async {
        repeat {
            if let pool = await backend.pool() {
                let found = await LoopActor(loop).run { _ in await Self.read(pool, loop) }
                if let found { state.withLock { $0.catalog = found } }
            }
        } while takesAnotherTurn()
    }

    private func takesAnotherTurn() -> Bool {
        state.withLock { state in
            guard case .stale = state.phase, !Task.isCancelled else {
                state.phase = .idle
                return false
            }
            state.phase = .reading
            return true
        }
    }

    private static let patience: Duration = .seconds(30)

    /// On the loop. What fails is tried again with the next refresh; the session says what is wrong with the server.
    private static func read(_ pool: ConnectionPool, _ loop: EventLoop) async -> NameCatalog? {
        let deadline = ContinuousClock.now + patience
        guard let connection = try? await pool.connectApart(on: loop, until: deadline) else { return nil }
        defer { connection.close() }
        guard let relations = try? await connection.query(relationsSQL, until: deadline),
            let schemas = try? await connection.query(schemasSQL, until: deadline),
            let functions = try? await connection.query(functionsSQL, until: deadline)
        else { return nil }
        let found = (0..<relations.count).map { row in
            NameCatalog.Relation(
                schema: relations.text(row, 0), name: relations.text(row, 1),
                isVisible: relations.text(row, 2) == "t", columnList: relations.text(row, 3))
        }
        return NameCatalog(
            relations: found, schemas: (0..<schemas.count).map { schemas.text($0, 0) },
            functions: (0..<functions.count).map { functions.text($0, 0) })
    }

    private static let relationsSQL = """
        SELECT n.nspname::text, c.relname::text, CASE WHEN pg_table_is_visible(c.oid) THEN 't' ELSE 'f' END,
          coalesce((SELECT string_agg(a.attname, E'\\n' ORDER BY a.attnum) FROM pg_attribute a
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_(toast|temp)'
        """
    private static let schemasSQL = "SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp)'"
    private static let functionsSQL = """
        SELECT DISTINCT p.proname::text FROM pg_proc p
        WHERE pg_function_is_visible(p.oid) AND p.prorettype <> 'trigger'::regtype AND p.proname !~ '^(_|pg_)'
          AND NOT EXISTS (SELECT FROM pg_operator o WHERE o.oprcode = p.oid)
          AND NOT EXISTS (SELECT FROM pg_cast k WHERE k.castfunc = p.oid)
          AND NOT p.proargtypes::oid[] && '{2281}'
        """
}

extension ReplBackend {
    /// The global `pool`.
    fileprivate func pool() async -> ConnectionPool? {
        await host.actor.run { [self] _ in (try? worker()).flatMap(sessionPool) }
    }
}

extension ResultSet {
    fileprivate func text(_ row: Int, _ column: Int) -> String {
        field(row, column).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
