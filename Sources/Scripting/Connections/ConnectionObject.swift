import LuaRuntime
import Postgres

/// A connection as a script holds it: a lease.
enum ConnectionObject {
    static let type = ObjectType<Lease>("connection")

    // MARK: Registration

    static func register(in stack: LuaStack, _ worker: ScriptWorker) {
        var methods = queryMethods(worker)
        methods.merge(sessionMethods(worker)) { first, _ in first }
        methods.merge(copyMethods(worker)) { first, _ in first }
        stack.pushTable(of: methods)
        let table = stack.makeReference()
        worker.connectionMethods = table
        let properties = properties
        type.register(
            in: stack,
            metamethods: [
                "__index": { stack throws(ScriptError) in
                    stack.push(table)
                    stack.pushCopy(of: 2)
                    if stack.rawGet(from: -2) != .nil { return 1 }
                    let object = try stack.receiver(type, "connection")
                    guard let name = stack.string(at: 2), let property = properties[name] else {
                        throw stack.unknownMember(of: "a connection", in: 3, and: Array(properties.keys))
                    }
                    try property(object, stack)
                    return 1
                },
                "__close": { [worker] stack throws(ScriptError) in
                    worker.release(try stack.receiver(type, "connection"))
                    return 0
                },
                "__tostring": { stack throws(ScriptError) in
                    let object = try stack.receiver(type, "connection")
                    let text = (try? object.connection).map { "connection (\($0.peer), pid \($0.pid))" }
                    stack.push(text ?? "connection (returned)")
                    return 1
                },
            ])
    }

    private static let properties: [String: @Sendable (Lease, LuaStack) throws(ScriptError) -> Void] = [
        "pid": { object, stack throws(ScriptError) in stack.push(Int64(try object.usable.pid)) },
        "server_version": { object, stack throws(ScriptError) in stack.push(Int64(try object.usable.serverVersion))
        },
        "status": { object, stack throws(ScriptError) in stack.push(object.status) },
    ]

    // MARK: Queries

    private static func queryMethods(_ worker: ScriptWorker) -> [String: HostFunction] {
        [
            "query": { [worker] stack throws(ScriptError) in
                try query(stack, worker, "conn:query")
            },
            "tryquery": { [worker] stack throws(ScriptError) in try tryQuery(stack, worker) },
            "rows": { [worker] stack throws(ScriptError) in
                let object = try stack.receiver(type, "conn:rows")
                let sql = try stack.requireString(2, "conn:rows", "SQL text")
                let parameters = try ParameterReader.parameters(from: 3, of: stack, "conn:rows")
                return try worker.wait(stack, on: object) { connection async throws(PostgresError) in
                    let feed = try await connection.stream(sql, parameters)
                    return { stack throws(ScriptError) in
                        switch feed {
                        case .results(let stream):
                            let factory = worker.rows.factory(stream.shape, in: stack)
                            return StreamObject.push(
                                RowSource(ResultSupply(stream), factory, object, worker), to: stack)
                        case .copy(let stream, let shape):
                            let factory = worker.rows.factory(shape, in: stack)
                            return StreamObject.push(
                                RowSource(CopySupply(stream), factory, object, worker), to: stack)
                        }
                    }
                }
            },
        ]
    }

    /// Runs the query that the arguments from index 2 on describe.
    static func query(
        _ stack: LuaStack, _ worker: ScriptWorker, _ function: String
    ) throws(ScriptError) -> Int32 {
        let object = try stack.receiver(type, function)
        let sql = try stack.requireString(2, function, "SQL text")
        let parameters = try ParameterReader.parameters(from: 3, of: stack, function)
        let reserve = worker.reserve
        let rows = worker.rows
        return try worker.wait(stack, on: object) { connection async throws(PostgresError) in
            let result = try await connection.query(sql, parameters, reserve: reserve)
            return { stack in
                ResultObject.push(result, rows, to: stack)
                return 1
            }
        }
    }

    /// As `query`, but an error of the server or the connection is returned: `nil, error`.
    private static func tryQuery(_ stack: LuaStack, _ worker: ScriptWorker) throws(ScriptError) -> Int32 {
        let object = try stack.receiver(type, "conn:tryquery")
        let sql = try stack.requireString(2, "conn:tryquery", "SQL text")
        let parameters = try ParameterReader.parameters(from: 3, of: stack, "conn:tryquery")
        let reserve = worker.reserve
        let rows = worker.rows
        return try worker.wait(stack, on: object) { connection async throws(PostgresError) in
            do throws(PostgresError) {
                let result = try await connection.query(sql, parameters, reserve: reserve)
                return { stack in
                    ResultObject.push(result, rows, to: stack)
                    return 1
                }
            } catch {
                if error == .cancelled { throw error }
                object.note(error)
                let failure = ScriptError(error)
                return { stack in
                    stack.pushNil()
                    stack.push(error: failure)
                    return 2
                }
            }
        }
    }
}

extension Lease {
    /// The connection, or the error that a script gets.
    var usable: Connection {
        get throws(ScriptError) {
            do { return try connection } catch { throw ScriptError(error) }
        }
    }

    func requireHeld() throws(ScriptError) {
        if !isHeld { _ = try usable }
    }

    /// "idle", "active", "transaction", "failed", "broken" or "returned".
    fileprivate var status: String {
        guard let connection = try? connection else { return "returned" }
        if connection.hasEnded() { return "broken" }
        return switch connection.transactionStatus {
        case .idle: "idle"
        case .active: "active"
        case .inTransaction: "transaction"
        case .inError: "failed"
        case .unknown: "broken"
        }
    }
}
