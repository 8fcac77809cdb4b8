import Postgres
package import PostgresProtocol

/// How far the stream of changes is applied: written with the changes themselves.
extension Ledger {
    package struct StreamRecord: Sendable {
        package var slot: String
        /// Where the slot began; nil while it is being made.
        package var consistentPoint: LSN?
        /// Everything that was committed on the source before it is in the target.
        package var position: LSN?
        /// On the source, of the last transaction that was applied.
        package var commitTime: String?
        package var transactions: Int
        package var changes: Int
        /// Tables that are to be copied anew, as somebody has asked for while the stream ran.
        package var resnapshot: [QualifiedName]
        /// Whoever runs the pipeline is to leave it to somebody else.
        package var isToEnd: Bool
        /// A cut-over that has not come to its end has set the source read-only.
        package var barsSource: Bool
    }

    package func stream() async throws(ReplicationError) -> StreamRecord? {
        let result = try await query(
            """
            SELECT slot, consistent_point::text, position::text, commit_time::text, transactions, changes, resnapshot,
              is_to_end, bars_source
            FROM replhost.stream WHERE pipeline = $1
            """, [.text(pipeline)], "reading the ledger")
        guard result.count == 1 else { return nil }
        return try reading { () throws(PostgresError) in
            StreamRecord(
                slot: try result.text(of: 0), consistentPoint: try result.string(0, 1).flatMap(LSN.init),
                position: try result.string(0, 2).flatMap(LSN.init), commitTime: try result.string(0, 3),
                transactions: try result.number(0, 4) ?? 0, changes: try result.number(0, 5) ?? 0,
                resnapshot: try result.strings(0, 6).compactMap(QualifiedName.init(parsing:)),
                isToEnd: try result.isTrue(0, 7), barsSource: try result.isTrue(0, 8))
        }
    }

    /// Notes that a slot is about to be made: one of this name that is there without a position is ours, and of no use.
    func noteSlot(_ slot: String, _ identity: SourceIdentity, scriptHash: String) async throws(ReplicationError) {
        _ = try await query(
            """
            WITH made AS (
              INSERT INTO replhost.pipeline (name, source_system, source_database, script_hash, state)
              VALUES ($1, $2, $3, $4, 'copying') ON CONFLICT (name) DO UPDATE SET script_hash = $4 RETURNING name)
            INSERT INTO replhost.stream (pipeline, slot) SELECT name, $5 FROM made
            ON CONFLICT (pipeline) DO UPDATE SET slot = $5, consistent_point = NULL, position = NULL
            """,
            [.text(pipeline), .text(identity.system), .text(identity.database), .text(scriptHash), .text(slot)],
            "writing the ledger")
    }

    func noteSlotMade(at point: LSN) async throws(ReplicationError) {
        _ = try await query(
            "UPDATE replhost.stream SET consistent_point = $2::pg_lsn, position = $2::pg_lsn WHERE pipeline = $1",
            [.text(pipeline), .text(point.description)], "writing the ledger")
    }

    /// The position in the log that a snapshot shows.
    func note(snapshot number: Int, at point: LSN) async throws(ReplicationError) {
        _ = try await query(
            "INSERT INTO replhost.snapshot (pipeline, number, lsn) VALUES ($1, $2, $3::pg_lsn)",
            [.text(pipeline), .integer(Int64(number)), .text(point.description)], "writing the ledger")
    }

    /// Notes that rows of tables are to be made those of a new snapshot; its number.
    func noteMending(_ tables: [TableMapping], at point: LSN) async throws(ReplicationError) -> Int {
        let result = try await query(
            """
            WITH numbered AS (UPDATE replhost.pipeline SET snapshots = snapshots + 1 WHERE name = $1 RETURNING snapshots),
              taken AS (INSERT INTO replhost.snapshot SELECT $1, snapshots, $2::pg_lsn FROM numbered),
              noted AS (
                INSERT INTO replhost.relation (pipeline, source, target, made, finished_at, mending)
                SELECT $1, source, target, false, now(), snapshots
                FROM numbered, unnest($3::text[], $4::text[]) AS mended (source, target)
                ON CONFLICT (pipeline, source) DO UPDATE SET mending = EXCLUDED.mending)
            SELECT snapshots::int8 FROM numbered
            """,
            [
                .text(pipeline), .text(point.description), .texts(tables.map(\.source.name.description)),
                .texts(tables.map(\.target.name.description)),
            ], "writing the ledger")
        return try reading { () throws(PostgresError) in try result.number(0, 0) ?? 0 }
    }

    /// All of them are.
    func noteMended(at number: Int) async throws(ReplicationError) {
        _ = try await query(
            "UPDATE replhost.relation SET mended = mending, mending = NULL WHERE pipeline = $1 AND mending = $2",
            [.text(pipeline), .integer(Int64(number))], "writing the ledger")
    }

    /// Positions of snapshots by their numbers.
    func snapshotPositions() async throws(ReplicationError) -> [Int: LSN] {
        let result = try await query(
            "SELECT number::int8, lsn::text FROM replhost.snapshot WHERE pipeline = $1", [.text(pipeline)],
            "reading the ledger")
        return try reading { () throws(PostgresError) in
            var positions: [Int: LSN] = [:]
            for row in 0..<result.count {
                if let number = try result.number(row, 0) { positions[number] = LSN(try result.text(of: 1, row: row)) }
            }
            return positions
        }
    }

    /// Asks whoever runs the pipeline to copy a table anew.
    package func requestResnapshot(of table: QualifiedName) async throws(ReplicationError) {
        _ = try await query(
            """
            UPDATE replhost.stream SET resnapshot = array_append(array_remove(resnapshot, $2), $2) WHERE pipeline = $1
            """, [.text(pipeline), .text(table.description)], "asking for a new copy")
    }

    func forgetStream() async throws(ReplicationError) {
        _ = try await query(
            "DELETE FROM replhost.stream WHERE pipeline = $1", [.text(pipeline)], "writing the ledger")
    }

    /// Asks whoever runs the pipeline to end, or takes that back.
    func requestEnd(_ isToEnd: Bool) async throws(ReplicationError) {
        _ = try await query(
            "UPDATE replhost.stream SET is_to_end = \(isToEnd) WHERE pipeline = $1", [.text(pipeline)],
            "asking for the pipeline's end")
    }

    func note(barsSource: Bool) async throws(ReplicationError) {
        _ = try await query(
            "UPDATE replhost.stream SET bars_source = \(barsSource) WHERE pipeline = $1", [.text(pipeline)],
            "writing the ledger")
    }

    func forgetRequest(for table: QualifiedName) async throws(ReplicationError) {
        _ = try await query(
            "UPDATE replhost.stream SET resnapshot = array_remove(resnapshot, $2) WHERE pipeline = $1",
            [.text(pipeline), .text(table.description)], "writing the ledger")
    }

    /// Moves the position on; affects one row unless somebody else has moved it meanwhile. Parameters: the pipeline, the
    /// new position, the old one, the commit time in microseconds from 2000 on, how many transactions and changes.
    static let advanceStatement = """
        UPDATE replhost.stream
        SET position = $2::pg_lsn, commit_time = coalesce('2000-01-01Z'::timestamptz + $4::int8 * interval '1 us', commit_time),
          applied_at = now(), transactions = transactions + $5::int8, changes = changes + $6::int8
        WHERE pipeline = $1 AND position = $3::pg_lsn
        """
}
