import PostgresProtocol
import Scripting

extension RunFigures {
    /// The document of `/status.json`: bytes and seconds, null for what is not known.
    var json: String {
        JSONText.object([
            ("version", JSONText.string(HostVersions.replhost)), ("pid", String(processID)),
            ("script", JSONText.string(script)), ("time", JSONText.string(time)),
            ("started_at", JSONText.string(startedAt)), ("uptime_seconds", JSONText.seconds(uptime)),
            ("memory_bytes", String(residentBytes)), ("cpu_seconds", JSONText.seconds(processorTime)),
            ("ready", String(isReady)), ("pipelines", JSONText.array(pipelines.map(\.json))),
            ("pools", JSONText.array(pools.map(\.json))),
            ("workers", JSONText.array(workers.map(\.json))), ("log", JSONText.array(log.map(\.json))),
        ])
    }
}

extension RunFigures.Pipeline {
    fileprivate var json: String {
        JSONText.object([
            ("name", JSONText.string(name)), ("phase", JSONText.string(phase.rawValue)),
            ("note", JSONText.string(note)), ("elapsed_seconds", JSONText.seconds(elapsed)),
            ("steps", String(steps)), ("steps_done", String(stepsDone)), ("dead_letters", String(deadLetters)),
            ("last_error", lastFailure?.json ?? "null"), ("stream", stream?.json ?? "null"),
            ("tables", JSONText.array(tables.map(\.json))),
        ])
    }
}

extension RunFigures.Failure {
    fileprivate var json: String {
        JSONText.object([
            ("code", JSONText.string(code)), ("message", JSONText.string(message)), ("time", JSONText.string(time)),
        ])
    }
}

extension RunFigures.Stream {
    fileprivate var json: String {
        JSONText.object([
            ("transactions", String(transactions)), ("changes", String(changes)), ("inserted", String(inserted)),
            ("updated", String(updated)), ("deleted", String(deleted)), ("lag_bytes", String(lag)),
            ("lag_seconds", JSONText.seconds(delay)),
            ("heartbeat_seconds", heartbeat.map { Figures.fixed($0 / .seconds(1), 6) } ?? "null"),
            ("lost_heartbeats", String(lostHeartbeats)), ("retained_bytes", JSONText.number(retained)),
            ("wal_budget_bytes", JSONText.number(budget)), ("position", JSONText.string(position)),
            ("commit_time", JSONText.string(commitTime)), ("conflicts", String(conflicts)),
            ("replays", String(replays)), ("overlaps", String(overlaps)),
        ])
    }
}

extension RunFigures.Table {
    fileprivate var json: String {
        JSONText.object([
            ("source", JSONText.string("\(source)")), ("target", JSONText.string("\(target)")),
            ("state", JSONText.string(state.rawValue)), ("rows", String(rows)),
            ("estimated_rows", JSONText.number(estimatedRows)), ("bytes", String(bytes)),
            ("chunks", String(chunks)), ("chunks_done", String(chunksDone)), ("inserted", String(inserted)),
            ("updated", String(updated)), ("deleted", String(deleted)), ("conflicts", String(conflicts)),
            ("dead_letters", String(deadLetters)),
            (
                "function",
                function.map { JSONText.object([("rows", String($0.rows)), ("seconds", JSONText.seconds($0.time))]) }
                    ?? "null"
            ),
        ])
    }
}

extension RunFigures.Pool {
    fileprivate var json: String {
        JSONText.object([
            ("name", JSONText.string(name)), ("max", String(max)), ("min", String(min)), ("size", String(size)),
            ("idle", String(idle)), ("in_use", String(inUse)), ("connecting", String(connecting)),
            ("waiting", String(waiting)), ("closed", String(isClosed)), ("last_error", JSONText.string(lastFailure)),
            ("acquired", String(acquired)), ("waited", String(waited)), ("timeouts", String(timeouts)),
            ("created", String(created)), ("connect_failures", String(connectFailures)),
            ("dead_found", String(deadFound)), ("wait", wait.json), ("use", use.json), ("connect", connect.json),
        ])
    }
}

extension RunFigures.Latency {
    fileprivate var json: String {
        JSONText.object([
            ("count", String(count)), ("seconds", Self.text(total)), ("p50", median.map(Self.text) ?? "null"),
            ("p99", p99.map(Self.text) ?? "null"),
        ])
    }

    private static func text(_ duration: Duration) -> String { Figures.fixed(duration / .seconds(1), 6) }
}

extension RunFigures.Worker {
    fileprivate var json: String {
        JSONText.object([
            ("name", JSONText.string(name)), ("busy", String(isBusy)), ("lua_bytes", String(luaBytes)),
            ("tasks", JSONText.array(tasks.map(\.json))),
        ])
    }
}

extension RunFigures.LuaTask {
    fileprivate var json: String {
        JSONText.object([
            ("origin", JSONText.string(origin)), ("state", JSONText.string(state)), ("timer", String(isTimer)),
            ("age_seconds", JSONText.seconds(age)),
        ])
    }
}

extension RunFigures.Record {
    fileprivate var json: String {
        JSONText.object([
            ("time", JSONText.string(time)), ("level", JSONText.string(level)),
            ("message", JSONText.string(message)),
            ("fields", JSONText.object(fields.map { ($0.key, JSONText.string($0.value)) })),
        ])
    }
}
