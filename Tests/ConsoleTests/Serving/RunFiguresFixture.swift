import PostgresProtocol

@testable import Scripting

/// A run's figures with something in each place.
enum RunFiguresFixture {
    static func figures(
        uptime: Duration = .seconds(10), tables: [RunFigures.Table] = [table()], changes: Int = 70
    ) -> RunFigures {
        RunFigures(
            processID: 4711, script: "/home/ann/shop.lua", time: "2026-01-31T12:00:10.000Z",
            startedAt: "2026-01-31T12:00:00.000Z", uptime: uptime, residentBytes: 32 << 20,
            processorTime: uptime / 2,
            pipelines: [
                RunFigures.Pipeline(
                    name: "shop", phase: .streaming, note: nil, elapsed: uptime, steps: 3, stepsDone: 3, deadLetters: 2,
                    lastFailure: .init(code: "RH2001", message: "gone", time: "2026-01-31T12:00:01.000Z"),
                    stream: RunFigures.Stream(
                        transactions: 7, changes: changes, inserted: 40, updated: 20, deleted: 10, lag: 2048,
                        delay: .milliseconds(1500), heartbeat: .milliseconds(3), lostHeartbeats: 0, retained: 1 << 20,
                        budget: 1 << 30, position: "0/16B3748", commitTime: "2026-01-31T12:00:09.000Z", conflicts: 1,
                        replays: 0, overlaps: 0), tables: tables)
            ],
            pools: [
                RunFigures.Pool(
                    name: "source", max: 8, min: 0, size: 3, idle: 1, inUse: 2, connecting: 0, waiting: 4,
                    isClosed: false,
                    lastFailure: nil, acquired: 12, waited: 5, timeouts: 0, created: 3, connectFailures: 0,
                    deadFound: 0,
                    wait: latency, use: latency, connect: latency)
            ],
            workers: [
                RunFigures.Worker(
                    name: "copy 1", isBusy: false, luaBytes: 1 << 18,
                    tasks: [.init(origin: "shop.lua:12", state: "waiting", isTimer: true, age: .seconds(3))])
            ], metrics: [],
            log: [
                RunFigures.Record(
                    time: "2026-01-31T12:00:02.000Z", level: "warning", message: "a \"quoted\"\nwarning",
                    fields: [("key", "value")])
            ])
    }

    static let latency = RunFigures.Latency(
        count: 5, total: .milliseconds(50), median: .milliseconds(5), p99: .milliseconds(20))

    static func table(
        _ name: String = "customers", rows: Int = 1000, inserted: Int = 40, function: Duration = .milliseconds(200)
    ) -> RunFigures.Table {
        RunFigures.Table(
            source: QualifiedName(schema: "public", name: name), target: QualifiedName(schema: "public", name: name),
            state: .copied, rows: rows, estimatedRows: 1000, bytes: 5000, chunks: 4, chunksDone: 4, inserted: inserted,
            updated: 20, deleted: 10, conflicts: 1, deadLetters: 2, function: (rows, function))
    }
}
