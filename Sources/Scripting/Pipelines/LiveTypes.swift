import LuaRuntime
import Postgres
import PostgresProtocol
import Replication

/// Column types as a database has them now, for tests that have one at hand.
enum LiveTypes {
    /// Argument: a pool. Pushes a table of tables, as `replhost types --record` writes it.
    static func push(_ stack: LuaStack, _ worker: ScriptWorker) throws(ScriptError) -> Int32 {
        let pool = try stack.receiver(PoolObject.type, "t.schema").pool
        let site = worker.borrowSite(stack)
        let borrower = worker.borrower
        return try worker.scheduler.wait(stack) { () async throws(ScriptError) in
            let lease: Lease
            do throws(PoolError) {
                lease = try await pool.acquire(on: worker.loop, site: site, borrower: borrower)
            } catch {
                throw ScriptError(error)
            }
            defer { pool.release(lease) }
            let tables = try await read(lease)
            return { stack throws(ScriptError) in
                try stack.reserve(8)
                push(tables, to: stack)
                return 1
            }
        }
    }

    private static func read(_ lease: Lease) async throws(ScriptError) -> [TableTypes] {
        let connection: Connection
        do throws(PoolError) { connection = try lease.connection } catch { throw ScriptError(error) }
        do throws(ReplicationError) {
            let reader = CatalogReader(connection, .source)
            let tables = try await reader.allTables()
            let notes = try await reader.notes(on: tables)
            return tables.map { TableTypes($0, notes[$0.oid] ?? TableNotes()) }
        } catch {
            throw ScriptError(error)
        }
    }

    private static func push(_ tables: [TableTypes], to stack: LuaStack) {
        stack.pushTable(fieldCount: tables.count)
        for table in tables {
            stack.pushTable(arrayCount: table.columns.count)
            for (position, column) in table.columns.enumerated() {
                push(column, to: stack)
                stack.setElement(position + 1, of: -2)
            }
            stack.setField("\(table.table)", of: -2)
        }
    }

    private static func push(_ column: TableTypes.Column, to stack: LuaStack) {
        stack.pushTable(fieldCount: 4)
        for (name, text) in [("name", column.name), ("type", column.type), ("base", column.baseType)] {
            guard let text else { continue }
            stack.push(text)
            stack.setField(name, of: -2)
        }
        for (name, isTrue) in [
            ("key", column.isKey), ("not_null", column.isNotNull), ("generated", column.isGenerated),
        ] where isTrue {
            stack.push(true)
            stack.setField(name, of: -2)
        }
        guard !column.labels.isEmpty else { return }
        stack.pushTable(arrayCount: column.labels.count)
        for (position, label) in column.labels.enumerated() {
            stack.push(label)
            stack.setElement(position + 1, of: -2)
        }
        stack.setField("labels", of: -2)
    }
}
