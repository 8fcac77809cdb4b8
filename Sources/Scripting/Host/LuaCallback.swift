import EventLoops
import LuaRuntime
import Postgres

/// A Lua function that code on another event loop calls: it runs as a task of its worker.
// Safe: the reference and the worker are used on the worker's loop only.
final class LuaCallback: @unchecked Sendable {
    private let reference: LuaReference
    private let worker: ScriptWorker
    private let limit: Duration

    /// A call that takes longer than `limit` is stopped.
    init(_ reference: LuaReference, _ worker: ScriptWorker, limit: Duration) {
        self.reference = reference
        self.worker = worker
        self.limit = limit
    }

    /// Calls the function without arguments; its result is text.
    func text() async throws(PostgresError) -> String {
        let outcome = await worker.scheduler.actor.run { [self] _ in await call { _ in 0 } }
        switch outcome {
        case .success(let text?): return text
        case .success(nil): throw .invalidSettings(reason: "the \"dsn\" function returned no string", hint: nil)
        case .failure(let failure): throw Self.failed("dsn", failure)
        }
    }

    /// Calls the function with a connection that it may use until it returns.
    func prepare(_ connection: Connection) async throws(PostgresError) {
        let home = connection.loop
        let outcome = await worker.scheduler.actor.run { [self] _ in
            connection.attach(to: worker.loop)
            let shown = Lease(showing: connection)
            defer { shown.endShowing() }
            return await call { stack in
                stack.push(shown, ConnectionObject.type)
                return 1
            }
        }
        connection.attach(to: home)
        if case .failure(let failure) = outcome { throw Self.failed("on_connect", failure) }
    }

    private static func failed(_ function: String, _ failure: LuaFailure) -> PostgresError {
        let place = failure.position.map { "\($0): " } ?? ""
        return .invalidSettings(reason: "\(function): \(place)\(failure.error.message)", hint: failure.error.hint)
    }

    /// On the worker's loop. The first result if it is a string.
    private func call(_ pushArguments: (LuaStack) -> Int32) async -> Result<String?, LuaFailure> {
        guard !worker.isEnding else {
            return .failure(LuaFailure(error: ScriptError(code: "RH1307", "the script has ended")))
        }
        let stack = worker.state.stack
        stack.push(reference)
        let task = worker.scheduler.spawn(stack, arguments: pushArguments(stack), origin: nil)
        // The wait below may begin after the task has ended; its failure is seen either way.
        worker.scheduler.watch(task) {}
        let timer = worker.loop.schedule(at: .now + limit) { [worker] in worker.scheduler.kill(task, .taskCancelled) }
        defer { worker.loop.cancel(timer) }
        await withUnsafeContinuation { continuation in
            worker.scheduler.watch(task) { continuation.resume() }
        }
        if let failure = task.failure, failure.interrupt == .taskCancelled {
            return .failure(LuaFailure(error: ScriptError(code: "RH1305", "it took longer than \(limit)")))
        }
        if let failure = task.failure { return .failure(failure) }
        return .success(task.firstResult)
    }
}
