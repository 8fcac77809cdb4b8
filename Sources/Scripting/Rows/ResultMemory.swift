import LuaRuntime
import Postgres

/// The memory outside Lua that one query's results take. It counts as the script's from the first row until the last of
/// the results is gone: their rows keep this object, through `reserve`.
final class ResultMemory {
    private let worker: ScriptWorker
    private var taken = 0

    init(of worker: ScriptWorker) { self.worker = worker }

    deinit {
        worker.state.charge(-taken)
    }

    /// Refuses what does not fit under the limit once garbage is gone.
    var reserve: Connection.Reserve { { [self] bytes in take(bytes) } }

    private func take(_ bytes: Int) -> Bool {
        if !worker.state.hasRoom(for: bytes) { worker.collectGarbage() }
        guard worker.state.hasRoom(for: bytes) else { return false }
        worker.state.charge(bytes)
        taken += bytes
        return true
    }
}
