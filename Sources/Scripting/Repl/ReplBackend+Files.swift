import CLua
import EventLoops
import LuaRuntime

extension ReplBackend {
    /// Runs the session's script first of all: its pipelines, and their pools, become global variables.
    package func run(file path: String) async -> ScriptOutcome {
        await host.actor.run { [self] _ in
            do throws(ScriptError) {
                let source = ScriptSource.file(path)
                let worker = try host.makeWorker(for: source)
                try worker.load(source)
                let task = try await host.end(of: worker.start(), source, worker)
                let outcome = await host.finish(worker, task)
                if case .finished = outcome { try await adopt(task, worker) }
                return outcome
            } catch {
                return .failed([LuaFailure(error: error)])
            }
        }
    }

    /// Runs a file of Lua code.
    package func load(file path: String) async -> ScriptOutcome {
        await host.actor.run { [self] _ in
            defer { noteFacts() }
            do throws(ScriptError) {
                let worker = try worker()
                try worker.load(.file(path))
                return await host.finish(worker, worker.start())
            } catch {
                return .failed([LuaFailure(error: error)])
            }
        }
    }

    /// SQL can run.
    package func hasPool() async -> Bool {
        await host.actor.run { [self] _ in (try? worker()).flatMap(sessionPool) != nil }
    }

    private func adopt(_ task: LuaTask, _ worker: ScriptWorker) async throws(ScriptError) {
        guard let results = task.results, results.count > 0 else { return }
        let stack = worker.state.stack
        stack.push(try await library(worker))
        stack.getField("adopt", of: -1)
        stack.remove(at: -2)
        results.pushCopy(of: 1)
        lua_xmove(results.thread, stack.thread, 1)
        let adoption = worker.scheduler.spawn(stack, arguments: 1, origin: nil)
        _ = await host.finish(worker, adoption)
    }
}
