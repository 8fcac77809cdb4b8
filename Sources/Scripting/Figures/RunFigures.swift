package import PostgresProtocol

/// What a process that runs pipelines tells of itself: one look, with counts since it began. Whoever wants rates takes
/// the differences of two looks.
package struct RunFigures: Sendable {
    package struct Stream: Sendable {
        package var transactions: Int
        package var changes: Int
        package var inserted: Int
        package var updated: Int
        package var deleted: Int
        /// Bytes of the source's log that are not in the target yet.
        package var lag: Int64
        /// For how long there has been something to apply, or since the source's commit that was applied last: whichever
        /// is less.
        package var delay: Duration
        /// How long a heartbeat took through the source's log and back; nil before the first one.
        package var heartbeat: Duration?
        package var lostHeartbeats: Int
        /// Bytes of log that the source keeps for the slot; nil until it was asked.
        package var retained: Int?
        package var budget: Int?
        /// Everything before it is in the target.
        package var position: String
        /// On the source, of the last transaction that was applied.
        package var commitTime: String?
        /// Rows that the target had already, or did not have, where that is let pass.
        package var conflicts: Int
        /// Batches that were given up and written once more.
        package var replays: Int
        /// Batches that began while others before them were being written.
        package var overlaps: Int
    }

    package struct Table: Sendable {
        package var source: QualifiedName
        package var target: QualifiedName
        package var state: PipelineProgress.Table.State
        package var rows: Int
        package var estimatedRows: Int?
        package var bytes: Int
        package var chunks: Int
        package var chunksDone: Int
        package var inserted: Int
        package var updated: Int
        package var deleted: Int
        package var conflicts: Int
        package var deadLetters: Int
        /// Rows that the script's function has got, and what it has taken for them; nil where there is none.
        package var function: (rows: Int, time: Duration)?
    }

    package struct Failure: Sendable {
        package var code: String?
        package var message: String
        package var time: String
    }

    package struct Pipeline: Sendable {
        package var name: String
        package var phase: PipelineProgress.Phase
        package var note: String?
        package var elapsed: Duration
        package var steps: Int
        package var stepsDone: Int
        package var deadLetters: Int
        /// What made it begin again last.
        package var lastFailure: Failure?
        package var stream: Stream?
        package var tables: [Table]

        /// It does what it is there for: a copy, or a server that is waited for, keeps it from that.
        package var isReady: Bool { phase == .streaming || phase == .done }
    }

    package struct Latency: Sendable {
        package var count: Int
        package var total: Duration
        package var median: Duration?
        package var p99: Duration?
    }

    package struct Pool: Sendable {
        package var name: String
        package var max: Int
        package var min: Int
        package var size: Int
        package var idle: Int
        package var inUse: Int
        package var connecting: Int
        package var waiting: Int
        package var isClosed: Bool
        package var lastFailure: String?
        package var acquired: Int
        package var waited: Int
        package var timeouts: Int
        package var created: Int
        package var connectFailures: Int
        package var deadFound: Int
        package var wait: Latency
        package var use: Latency
        package var connect: Latency
    }

    /// A Lua state with a thread of its own.
    package struct Worker: Sendable {
        /// Its thread's name.
        package var name: String
        /// Its thread had no time to answer: the rest is of an earlier look.
        package var isBusy: Bool
        package var luaBytes: Int
        package var tasks: [LuaTask]
    }

    /// A coroutine: the script, what `rh.spawn` began, or a function with its rows.
    package struct LuaTask: Sendable {
        /// Where it was begun, as "file:line"; nil if the host has begun it.
        package var origin: String?
        /// "ready", "running" or "waiting".
        package var state: String
        package var isTimer: Bool
        package var age: Duration
    }

    /// A warning or an error that was logged.
    package struct Record: Sendable {
        package var time: String
        package var level: String
        package var message: String
        package var fields: [(key: String, value: String)]
    }

    package var processID: Int32
    /// The absolute path of the file; nil if the script is no file.
    package var script: String?
    package var time: String
    package var startedAt: String
    package var uptime: Duration
    /// In memory, of the process.
    package var residentBytes: Int
    package var processorTime: Duration
    package var pipelines: [Pipeline]
    package var pools: [Pool]
    package var workers: [Worker]
    package var metrics: [Metric]
    package var log: [Record]

    package var isReady: Bool { !pipelines.isEmpty && pipelines.allSatisfy(\.isReady) }
}
