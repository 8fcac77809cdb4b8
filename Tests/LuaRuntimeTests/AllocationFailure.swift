import CLuaShim
import LuaRuntime

/// Runs a script again and again in one state, with Lua's n-th allocation and all later ones failing, n = 1, 2, …, until
/// it succeeds. Each run ends with results or with an error, never with the process; what it made is released.
///
/// `script` is compiled once for each run and gets its own task. It must wait for whatever it starts.
struct AllocationFailure: Sendable {
    enum Ending: Sendable, Equatable {
        /// After so many failures, each at a later allocation.
        case succeeded(failures: Int)
        /// The script failed without lack of memory.
        case failed(String)
        /// Objects of the script were alive after it had ended at the given allocation.
        case leaked(at: Int, objects: Int)
        /// A short script that was run after the given allocation had failed did not work any more.
        case broke(at: Int, String)
        case neverSucceeded
    }

    var limit = 5000

    /// `living` counts the script's host objects; `runner` is open.
    func drive(_ script: String, in runner: ScriptRunner) async -> Ending {
        for n in 1...limit {
            _ = await runner.withState { state, _ in state.failAllocation(after: UInt64(n)) }
            await runner.evaluate(script)
            _ = await runner.withState { state, _ in state.failAllocation(after: 0) }
            let outcome = await runner.takeOutcome()
            if let broken = await broken(runner) { return .broke(at: n, broken) }
            let living = await runner.livingProbes()
            guard living == 0 else { return .leaked(at: n, objects: living) }
            guard let failure = outcome.failure else { return .succeeded(failures: n - 1) }
            guard failure.error.code == "RH1205" || failure.error.message.contains("memory") else {
                return .failed("at allocation \(n): \(failure.error.message)")
            }
        }
        return .neverSucceeded
    }

    private func broken(_ runner: ScriptRunner) async -> String? {
        await runner.evaluate(
            """
            assert(coroutine.wrap(function() return slowly(fetch(4)) end)() == 4)
            assert(select(2, pcall(fail, "x")).message == "x" and spawn(slowly, 5):wait() == 5)
            """)
        return await runner.takeOutcome().message
    }
}
