import LuaRuntime

/// One task's wait for another: `waiter:wait()` returns what `waiter:wake(…)` was given. What channels are made of.
final class WaiterObject {
    static let type = ObjectType<WaiterObject>("waiter")

    private enum State {
        case new
        case waiting(wake: (Result<Delivery, ScriptError>) -> Void)
        /// Woken before it waited.
        case woken(LuaReference)
        /// Final.
        case done
    }

    private var state = State.new

    static func register(in stack: LuaStack, _ worker: ScriptWorker) {
        type.register(
            in: stack,
            methods: [
                "wait": { [unowned worker] stack throws(ScriptError) in
                    try stack.receiver(type, "waiter:wait").wait(stack, worker)
                },
                "wake": { stack throws(ScriptError) in
                    stack.push(try stack.receiver(type, "waiter:wake").wake(stack))
                    return 1
                },
            ])
    }

    private func wait(_ stack: LuaStack, _ worker: ScriptWorker) throws(ScriptError) -> Int32 {
        switch state {
        case .new:
            do throws(ScriptError) {
                return try worker.scheduler.park(stack, cancel: { [self] in state = .done }) { wake in
                    state = .waiting(wake: wake)
                }
            } catch {
                state = .done
                throw error
            }
        case .woken(let value):
            state = .done
            return Self.deliver(value, to: stack)
        case .waiting, .done:
            throw ScriptError(code: "RH1306", "a waiter is waited for once")
        }
    }

    /// False if nobody is there to be woken: the waiting task was stopped.
    private func wake(_ stack: LuaStack) -> Bool {
        stack.setCount(2)
        switch state {
        case .new:
            state = .woken(stack.makeReference())
        case .waiting(let wake):
            let value = stack.makeReference()
            state = .done
            wake(.success { Self.deliver(value, to: $0) })
        case .woken, .done:
            return false
        }
        return true
    }

    private static func deliver(_ value: LuaReference, to stack: LuaStack) -> Int32 {
        stack.push(value)
        stack.release(value)
        return 1
    }
}
