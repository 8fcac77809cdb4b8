import EventLoops
import LuaRuntime
import Postgres

/// A pool as a script holds it.
final class PoolObject {
    static let type = ObjectType<PoolObject>("pool")

    let pool: ConnectionPool

    init(_ pool: ConnectionPool) { self.pool = pool }

    static func register(in stack: LuaStack, _ worker: ScriptWorker) {
        stack.pushTable(of: methods(worker))
        stack.push(direct: getconn, worker)
        stack.setField("getconn", of: -2)
        stack.push(direct: putconn, worker)
        stack.setField("putconn", of: -2)
        stack.refuseUnknownMembers(of: "a pool")
        let table = stack.makeReference()
        worker.poolMethods = table
        type.register(
            in: stack, methodTable: table,
            metamethods: [
                "__tostring": { stack throws(ScriptError) in
                    let facts = try stack.receiver(type, "pool").pool.statistics()
                    stack.push("pool (\(facts.inUse) in use, \(facts.idle) idle, max \(facts.max))")
                    return 1
                }
            ])
    }

    private static func methods(_ worker: ScriptWorker) -> [String: HostFunction] {
        [
            "stats": { stack throws(ScriptError) in
                PoolFacts.push(try stack.receiver(type, "pool:stats").pool.statistics(), to: stack)
                return 1
            },
            "resize": { stack throws(ScriptError) in
                let pool = try stack.receiver(type, "pool:resize").pool
                let count = try Self.count(2, stack, "pool:resize")
                let least = stack.isNil(at: 3) ? nil : try Self.count(3, stack, "pool:resize")
                do throws(PoolError) { try pool.resize(max: count, min: least) } catch { throw ScriptError(error) }
                return 0
            },
            "drain": { stack throws(ScriptError) in
                try stack.receiver(type, "pool:drain").pool.drain()
                return 0
            },
            "close": { [worker] stack throws(ScriptError) in
                let pool = try stack.receiver(type, "pool:close").pool
                let timeout = try stack.optionalDuration(2, "pool:close") ?? .seconds(10)
                return try worker.scheduler.wait(stack) { () async throws(ScriptError) in
                    let aborted = await pool.close(timeout: timeout)
                    return { stack in
                        stack.push(Int64(aborted))
                        return 1
                    }
                }
            },
        ]
    }

    fileprivate static func borrow(_ stack: LuaStack, _ worker: ScriptWorker) throws(ScriptError) -> Int32 {
        let pool = try stack.receiver(type, "pool:getconn").pool
        let site = worker.borrowSite(stack)
        let borrower = worker.borrower
        if let lease = pool.tryAcquire(on: worker.loop, site: site, borrower: borrower) {
            stack.push(lease, ConnectionObject.type)
            return 1
        }
        let timeout = try stack.optionalDuration(2, "pool:getconn")
        return try worker.scheduler.wait(stack) { () async throws(ScriptError) in
            do throws(PoolError) {
                let lease = try await collecting(worker) { () async throws(PoolError) in
                    try await pool.acquire(on: worker.loop, timeout: timeout, site: site, borrower: borrower)
                }
                return { stack in
                    stack.push(lease, ConnectionObject.type)
                    return 1
                }
            } catch {
                throw ScriptError(error)
            }
        }
    }

    /// Runs `acquire`, which waits: connections that the script has forgotten come back by a collection.
    private static func collecting(
        _ worker: ScriptWorker, _ acquire: () async throws(PoolError) -> Lease
    ) async throws(PoolError) -> Lease {
        let timer = worker.loop.schedule(at: .now + .milliseconds(200)) { worker.collectForgotten() }
        defer { worker.loop.cancel(timer) }
        do throws(PoolError) {
            return try await acquire()
        } catch {
            guard case .selfDeadlock = error else { throw error }
            worker.collectGarbage()
            return try await acquire()
        }
    }

    fileprivate static func giveBack(_ stack: LuaStack, _ worker: ScriptWorker) throws(ScriptError) -> Int32 {
        let pool = try stack.receiver(type, "pool:putconn").pool
        guard let lease = stack.object(at: 2, ConnectionObject.type) else {
            throw .argument(2, of: "pool:putconn", "connection expected, got \(stack.describe(at: 2))")
        }
        guard lease.pool != nil else {
            throw ScriptError(code: "RH2305", "pool:putconn: on_connect's connection is the pool's already")
        }
        let discard = try discards(stack)
        do throws(PoolError) {
            try pool.putBack(lease, discard: discard, at: worker.borrowSite(stack))
        } catch {
            throw ScriptError(error)
        }
        stack.push(true)
        return 1
    }

    /// `{ discard = true }` at index 3.
    private static func discards(_ stack: LuaStack) throws(ScriptError) -> Bool {
        guard !stack.isNil(at: 3) else { return false }
        try stack.requireTable(3, "pool:putconn")
        try stack.forEach(in: 3) { (key, _) throws(ScriptError) in
            guard stack.string(at: key) == "discard" else {
                throw ScriptError(
                    code: "RH2306", "pool:putconn: unknown option \(DisplayText.short(of: key, stack))",
                    hint: "The only option is discard.")
            }
        }
        stack.getField("discard", of: 3)
        defer { stack.pop() }
        return stack.isTrue(at: -1)
    }

    private static func count(_ index: Int32, _ stack: LuaStack, _ function: String) throws(ScriptError) -> Int {
        if let count = stack.integer(at: index).flatMap({ Int(exactly: $0) }) { return count }
        throw .argument(Int(index), of: function, "integer expected, got \(stack.describe(at: index))")
    }
}

private func getconn(_ thread: LuaThread?, _ worker: UnsafeMutableRawPointer?) -> Int32 {
    LuaStack.direct(thread, worker, ScriptWorker.self) { worker, stack throws(ScriptError) in
        try PoolObject.borrow(stack, worker)
    }
}

private func putconn(_ thread: LuaThread?, _ worker: UnsafeMutableRawPointer?) -> Int32 {
    LuaStack.direct(thread, worker, ScriptWorker.self) { worker, stack throws(ScriptError) in
        try PoolObject.giveBack(stack, worker)
    }
}
