import FoundationEssentials

/// What a run tells of itself, as far as the terminal shows it; `RunFigures.json` writes it.
struct RunDocument: Decodable, Equatable, Sendable {
    struct Function: Decodable, Equatable, Sendable {
        var rows: Int
        var seconds: Double
    }

    struct Table: Decodable, Equatable, Sendable {
        var source: String
        var target: String
        var state: String
        var rows: Int
        var estimatedRows: Int?
        var bytes: Int
        var chunks: Int
        var chunksDone: Int
        var inserted: Int
        var updated: Int
        var deleted: Int
        var conflicts: Int
        var deadLetters: Int
        var function: Function?
    }

    struct Stream: Decodable, Equatable, Sendable {
        var transactions: Int
        var changes: Int
        var lagBytes: Int
        var lagSeconds: Double
        var heartbeatSeconds: Double?
        var retainedBytes: Int?
        var walBudgetBytes: Int?
        var conflicts: Int
    }

    struct Failure: Decodable, Equatable, Sendable {
        var code: String?
        var message: String
        var time: String
    }

    struct Pipeline: Decodable, Equatable, Sendable {
        var name: String
        var phase: String
        var note: String?
        var steps: Int
        var stepsDone: Int
        var deadLetters: Int
        var lastError: Failure?
        var stream: Stream?
        var tables: [Table]
    }

    struct Latency: Decodable, Equatable, Sendable {
        var count: Int
        var p99: Double?
    }

    struct Pool: Decodable, Equatable, Sendable {
        var name: String
        var max: Int
        var size: Int
        var idle: Int
        var inUse: Int
        var waiting: Int
        var acquired: Int
        var lastError: String?
        var wait: Latency
    }

    struct Worker: Decodable, Equatable, Sendable {
        var name: String
        var busy: Bool
        var luaBytes: Int
        var tasks: [Task]
    }

    struct Task: Decodable, Equatable, Sendable {
        var origin: String?
        var state: String
        var timer: Bool
        var ageSeconds: Double
    }

    struct Record: Decodable, Equatable, Sendable {
        var time: String
        var level: String
        var message: String
    }

    var pid: Int
    var script: String?
    var uptimeSeconds: Double
    var memoryBytes: Int
    var cpuSeconds: Double
    var pipelines: [Pipeline]
    var pools: [Pool]
    var workers: [Worker]
    var log: [Record]

    /// Nil if the text is not such a document.
    init?(_ json: String) {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let document = try? decoder.decode(Self.self, from: Data(json.utf8)) else { return nil }
        self = document
    }
}
