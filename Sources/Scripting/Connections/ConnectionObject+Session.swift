import LuaRuntime
import Postgres

extension ConnectionObject {
    /// Notifications, cancelling, closing.
    static func sessionMethods(_ worker: ScriptWorker) -> [String: HostFunction] {
        [
            "listen": command(worker, "conn:listen") { connection, channel async throws(PostgresError) in
                try await connection.listen(to: channel)
            },
            "notify": { [unowned worker] stack throws(ScriptError) in
                let object = try stack.receiver(type, "conn:notify")
                let channel = try stack.requireString(2, "conn:notify", "channel")
                let payload = stack.isNil(at: 3) ? "" : try stack.requireString(3, "conn:notify", "payload")
                return try worker.wait(stack, on: object) { connection async throws(PostgresError) in
                    try await connection.notify(channel, payload)
                    return { _ in 0 }
                }
            },
            "cancel": { [unowned worker] stack throws(ScriptError) in
                let connection = try stack.receiver(type, "conn:cancel").usable
                return try worker.scheduler.wait(stack) { () async throws(ScriptError) in
                    await connection.cancelRunning()
                    return { _ in 0 }
                }
            },
            "close": { stack throws(ScriptError) in
                let lease = try stack.receiver(type, "conn:close")
                lease.pool?.release(lease, discard: true)
                return 0
            },
        ]
    }

    /// What `conn:transaction`, `:prepare`, `:pipeline` and `:notifications`, which are Lua, are made of; each takes the
    /// connection first.
    static func sessionFunctions(_ worker: ScriptWorker) -> [String: HostFunction] {
        [
            "begin": { [unowned worker] stack throws(ScriptError) in
                let object = try stack.receiver(type, "conn:transaction")
                let options = try transactionOptions(stack)
                return try worker.wait(stack, on: object) { connection async throws(PostgresError) in
                    try await connection.beginTransaction(options)
                    return { _ in 0 }
                }
            },
            "abandon": { stack throws(ScriptError) in
                let name = stack.string(at: 2)
                try stack.receiver(type, "conn:transaction").abandoned = name.map { .savepoint($0) } ?? .whole
                return 0
            },
            "settle": { [unowned worker] stack throws(ScriptError) in
                let object = try stack.receiver(type, "conn:transaction")
                guard object.abandoned != nil else { return 0 }
                return try worker.wait(stack, on: object) { _ async throws(PostgresError) in { _ in 0 } }
            },
            "commit": command(worker, "conn:transaction") { connection, _ async throws(PostgresError) in
                try await connection.commit()
            },
            "rollback": command(worker, "conn:transaction") { connection, _ async throws(PostgresError) in
                try await connection.rollback()
            },
            "savepoint": command(worker, "conn:transaction") { connection, name async throws(PostgresError) in
                try await connection.savepoint(name)
            },
            "release": command(worker, "conn:transaction") { connection, name async throws(PostgresError) in
                try await connection.release(name)
            },
            "rollback_to": command(worker, "conn:transaction") { connection, name async throws(PostgresError) in
                try await connection.rollback(to: name)
            },
            "prepare": command(worker, "conn:prepare") { connection, sql async throws(PostgresError) in
                _ = try await connection.prepare(sql)
            },
            "notification": { [unowned worker] stack throws(ScriptError) in try waitForNotification(stack, worker) },
            "pipeline": { [unowned worker] stack throws(ScriptError) in try runPipeline(stack, worker) },
        ]
    }

    /// A function of a connection and at most one text, without a result.
    private static func command(
        _ worker: ScriptWorker, _ function: String,
        _ body: @escaping (Connection, String) async throws(PostgresError) -> Void
    ) -> HostFunction {
        { [unowned worker] stack throws(ScriptError) in
            let object = try stack.receiver(type, function)
            let name = stack.isNil(at: 2) ? "" : try stack.requireString(2, function)
            return try worker.wait(stack, on: object) { connection async throws(PostgresError) in
                try await body(connection, name)
                return { _ in 0 }
            }
        }
    }

    /// The next notification as a table, or nil after the time at index 2.
    private static func waitForNotification(_ stack: LuaStack, _ worker: ScriptWorker) throws(ScriptError) -> Int32 {
        let object = try stack.receiver(type, "conn:notifications")
        let timeout = try stack.optionalDuration(2, "conn:notifications")
        return try worker.wait(stack, on: object) { connection async throws(PostgresError) in
            let found = try await connection.waitForNotification(until: timeout.map { .now + $0 })
            return { stack in
                guard let found else {
                    stack.pushNil()
                    return 1
                }
                stack.pushTable(fieldCount: 3)
                stack.push(found.channel)
                stack.setField("channel", of: -2)
                stack.push(found.payload)
                stack.setField("payload", of: -2)
                stack.push(Int64(found.pid))
                stack.setField("pid", of: -2)
                return 1
            }
        }
    }

    /// `{ {sql, n, …values}, … }` at index 2 → a list of results, and the first error if there is one.
    private static func runPipeline(_ stack: LuaStack, _ worker: ScriptWorker) throws(ScriptError) -> Int32 {
        let object = try stack.receiver(type, "conn:pipeline")
        try stack.requireTable(2, "conn:pipeline")
        var batch: [PipelineStatement] = []
        for position in 0..<stack.rawCount(at: 2) {
            stack.pushElement(position + 1, of: 2)
            let entry = stack.count
            let count = stack.arrayLength(at: entry)
            try stack.reserve(count + 1)
            for index in 0..<count { stack.pushElement(index + 1, of: entry) }
            let sql = try stack.requireString(entry + 1, "pipeline:query", "SQL text")
            batch.append(
                PipelineStatement(sql, try ParameterReader.parameters(from: entry + 2, of: stack, "pipeline:query")))
            stack.setCount(entry - 1)
        }
        let reserve = worker.reserve
        let rows = worker.rows
        return try worker.wait(stack, on: object) { connection async throws(PostgresError) in
            let results = try await connection.pipeline(batch, reserve: reserve)
            return { stack in
                stack.pushTable(arrayCount: results.count)
                for (position, result) in results.enumerated() {
                    guard case .success(let set) = result else { continue }
                    ResultObject.push(set, rows, to: stack)
                    stack.setElement(position + 1, of: -2)
                }
                for case .failure(let error) in results {
                    stack.push(error: ScriptError(error))
                    return 2
                }
                return 1
            }
        }
    }

    private static func transactionOptions(_ stack: LuaStack) throws(ScriptError) -> TransactionOptions {
        var options = TransactionOptions()
        guard stack.type(at: 2) == .table else { return options }
        try stack.forEach(in: 2) { (key, value) throws(ScriptError) in
            switch stack.string(at: key) {
            case "isolation":
                let text = stack.string(at: value)?.lowercased() ?? ""
                guard
                    let level = TransactionOptions.Isolation.allCases.first(where: { $0.rawValue.lowercased() == text })
                else {
                    let names = TransactionOptions.Isolation.allCases.map { "\"\($0.rawValue.lowercased())\"" }
                    throw ScriptError(
                        code: "RH2306",
                        "conn:transaction: option \"isolation\": expected \(names.joined(separator: ", ")), got "
                            + DisplayText.short(of: value, stack))
                }
                options.isolation = level
            case "readonly": options.isReadOnly = stack.isTrue(at: value)
            case "deferrable": options.isDeferrable = stack.isTrue(at: value)
            case "retries": break
            case let name:
                let known = ["isolation", "readonly", "deferrable", "retries"]
                let near = Suggestion.nearest(to: name ?? "", among: known)
                throw ScriptError(
                    code: "RH2306",
                    "conn:transaction: unknown option \"\(name ?? "?")\""
                        + (near.map { ", did you mean \"\($0)\"?" } ?? ""),
                    hint: "Options are \(known.joined(separator: ", ")).")
            }
        }
        return options
    }
}
