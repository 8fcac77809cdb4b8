import LuaRuntime
import PostgresProtocol

/// What `require "replhost"` gets from the host: `replhost.native.host` holds names of `rh` itself,
/// `replhost.native.internals` what the standard library's Lua code builds on.
enum NativeModules {
    static func register(in stack: LuaStack, _ worker: ScriptWorker) {
        WaiterObject.register(in: stack, worker)
        ValueLibrary.register(in: stack)
        preload("replhost.native.host", in: stack) { [unowned worker] stack in pushHost(stack, worker) }
        preload("replhost.native.internals", in: stack) { [unowned worker] stack in pushInternals(stack, worker) }
    }

    private static func preload(_ name: String, in stack: LuaStack, _ push: @escaping (LuaStack) -> Void) {
        stack.pushGlobals()
        stack.getField("package", of: -1)
        stack.getField("preload", of: -1)
        stack.push(function: { stack throws(ScriptError) in
            push(stack)
            return 1
        })
        stack.setField(name, of: -2)
        stack.pop(3)
    }

    private static func pushHost(_ stack: LuaStack, _ worker: ScriptWorker) {
        stack.pushTable(of: [
            "pool": { [unowned worker] stack throws(ScriptError) in
                let options = try PoolOptions(at: 1, of: stack)
                let pool = try worker.options.pools.pool(options, worker)
                worker.note(pool)
                stack.push(PoolObject(pool), PoolObject.type)
                return 1
            },
            "spawn": { [unowned worker] stack throws(ScriptError) in
                try stack.requireFunction(1, "rh.spawn")
                let task = worker.scheduler.spawn(stack, arguments: stack.count - 1, origin: stack.position())
                TaskHandle.push(task, of: worker.scheduler, to: stack)
                return 1
            },
            "sleep": { [unowned worker] stack throws(ScriptError) in
                guard let duration = Durations.read(at: 1, of: stack) else {
                    throw .argument(
                        1, of: "rh.sleep", "\(Durations.form) expected, got \(DisplayText.short(of: 1, stack))")
                }
                return try worker.scheduler.sleep(stack, for: duration)
            },
        ])
        stack.pushTable(of: [
            "ident": { stack throws(ScriptError) in
                stack.push(SQLText.quoteIdentifier(try stack.requireString(1, "rh.quote.ident")))
                return 1
            },
            "literal": { stack throws(ScriptError) in
                if stack.isNil(at: 1) {
                    stack.push("NULL")
                } else {
                    stack.push(SQLText.quoteLiteral(try stack.requireString(1, "rh.quote.literal")))
                }
                return 1
            },
        ])
        stack.setField("quote", of: -2)
    }

    private static func pushInternals(_ stack: LuaStack, _ worker: ScriptWorker) {
        stack.pushTable(of: [
            "waiter": { stack throws(ScriptError) in
                stack.push(WaiterObject(), WaiterObject.type)
                return 1
            },
            "seconds": { stack throws(ScriptError) in
                guard let duration = Durations.read(at: 1, of: stack) else {
                    stack.pushNil()
                    return 1
                }
                stack.push(duration.inSeconds)
                return 1
            },
            "spawn_timer": { [unowned worker] stack throws(ScriptError) in
                let task = worker.scheduler.spawn(stack, arguments: stack.count - 1, origin: stack.position())
                worker.scheduler.markTimer(task)
                TaskHandle.push(task, of: worker.scheduler, to: stack)
                return 1
            },
            "timers": { [unowned worker] stack in
                stack.push(Int64(worker.scheduler.timers))
                return 1
            },
            "end_timers": { [unowned worker] stack in
                worker.scheduler.endTimers(after: Int(stack.number(at: 1) ?? 0))
                return 0
            },
            "workers": { [unowned worker] stack throws(ScriptError) in try WorkerGroup.run(stack, worker) },
        ])
        stack.pushTable(of: ConnectionObject.sessionFunctions(worker))
        stack.setField("session", of: -2)
        PipelineFunctions.push(to: stack, worker)
        stack.setField("pipelines", of: -2)
        MetricFunctions.push(to: stack, worker.options.figures.metrics)
        stack.setField("metrics", of: -2)
        for (name, table) in [("connection", worker.connectionMethods), ("pool", worker.poolMethods)] {
            if let table { stack.push(table) } else { stack.pushNil() }
            stack.setField(name, of: -2)
        }
    }
}
