import Postgres
import PostgresProtocol

/// What a script's function has done to one of its durable values (`rh.state`).
package struct StateChange: Sendable, Equatable {
    package enum Effect: Sendable, Equatable {
        case set(json: String)
        /// To a number; to 0 if there is none.
        case add(Int64)
        case remove
    }

    package var store: String
    package var key: String
    package var effect: Effect

    package init(store: String, key: String, effect: Effect) {
        self.store = store
        self.key = key
        self.effect = effect
    }
}

/// The statements that bring changes into `replhost.state`: `$1` is the pipeline, `$2` the changes in JSON.
enum StateStatements {
    /// Transactions with changes come one after the other: they may change the same keys.
    static let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1::text, 7236269431071338082))"

    private static let values = "SELECT key, value::text FROM replhost.state WHERE pipeline = $1 AND store = $2"

    /// The statements for these changes, in order, each with its JSON.
    static func writing(_ changes: [StateChange]) -> [(sql: String, json: String)] {
        [StateChange.Effect.set(json: ""), .add(0), .remove].compactMap { effect in
            let same = changes.filter { $0.effect.isSameKind(as: effect) }
            return same.isEmpty ? nil : (statement(effect), json(same))
        }
    }

    /// By key, in JSON.
    static func values(
        ofStore store: String, of pipeline: String, on target: Connection
    ) async throws(ReplicationError) -> [String: String] {
        do throws(PostgresError) {
            let result = try await target.query(values, [.text(pipeline), .text(store)])
            var values: [String: String] = [:]
            for row in 0..<result.count {
                guard let key = result.field(row, 0), let value = result.field(row, 1) else { continue }
                values[String(decoding: key, as: UTF8.self)] = String(decoding: value, as: UTF8.self)
            }
            return values
        } catch {
            throw .database(.target, error, doing: "reading replhost.state")
        }
    }

    private static func statement(_ effect: StateChange.Effect) -> String {
        switch effect {
        case .set: insert + "EXCLUDED.value"
        case .add: insert + "to_jsonb(state.value::numeric + EXCLUDED.value::numeric)"
        case .remove:
            """
            DELETE FROM replhost.state AS state USING \(changes)
            WHERE state.pipeline = $1 AND state.store = change.store AND state.key = change.key
            """
        }
    }

    /// The changes of one kind.
    private static func json(_ changes: [StateChange]) -> String {
        let objects = changes.map { change in
            let value: String? =
                switch change.effect {
                case .set(let json): json
                case .add(let number): String(number)
                case .remove: nil
                }
            return JSONText.row([("store", change.store), ("key", change.key), ("value", value)])
        }
        return JSONText.array(objects)
    }

    private static let changes = "jsonb_to_recordset($2::jsonb) AS change(store text, key text, value text)"

    private static let insert = """
        INSERT INTO replhost.state AS state (pipeline, store, key, value)
        SELECT $1, change.store, change.key, change.value::jsonb FROM \(changes)
        ON CONFLICT (pipeline, store, key) DO UPDATE SET value = \

        """
}

extension StateChange.Effect {
    fileprivate func isSameKind(as other: StateChange.Effect) -> Bool {
        switch (self, other) {
        case (.set, .set), (.add, .add), (.remove, .remove): true
        case (.set, _), (.add, _), (.remove, _): false
        }
    }
}
