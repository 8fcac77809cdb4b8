import LuaRuntime
import Synchronization

/// What scripts count (`rh.metric`): the same name is the same metric in all workers.
final class MetricRegistry: Sendable {
    /// A label for each user, say, would fill memory here and wherever the figures are kept.
    private static let seriesLimit = 1000

    private let metrics = Mutex<[String: Metric]>([:])

    var all: [Metric] { metrics.withLock { $0.values.sorted { $0.name < $1.name } } }

    /// Throws if the name belongs to a metric of another kind.
    func register(_ metric: Metric) throws(ScriptError) {
        try metrics.withLock { metrics throws(ScriptError) in
            guard let known = metrics[metric.name] else {
                metrics[metric.name] = metric
                return
            }
            guard known.kind == metric.kind, known.bounds == metric.bounds else {
                throw ScriptError(
                    code: "RH1501", "metric \"\(metric.name)\" is a \(known.kind.rawValue) already",
                    hint: "One name is one metric in all workers: with the same kind and the same buckets.")
            }
        }
    }

    func update(
        _ name: String, _ labels: [Metric.Label], _ change: (inout Metric.Series) -> Void
    ) throws(ScriptError) {
        let isFull = metrics.withLock { metrics in
            metrics[name]?.update(labels, limit: Self.seriesLimit, change) == false
        }
        if isFull {
            throw ScriptError(
                code: "RH1502", "metric \"\(name)\" has \(Self.seriesLimit) combinations of labels already",
                hint: "Labels are for few values, such as the names of tables; not for keys of rows.")
        }
    }

    /// Nil if nothing was counted under these labels.
    func series(_ name: String, _ labels: [Metric.Label]) -> Metric.Series? {
        metrics.withLock { $0[name]?.series[labels] }
    }
}

/// One metric of a script.
package struct Metric: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case counter
        case gauge
        case histogram
    }

    package struct Label: Sendable, Hashable {
        package let name: String
        package let value: String
    }

    package struct Series: Sendable {
        /// The value; of a histogram the sum of what was observed.
        package var value = 0.0
        package var count = 0
        /// How many were at most as large as each bound, and larger than the one before.
        package private(set) var buckets: [Int]
        private let bounds: [Double]

        init(_ bounds: [Double]) {
            self.bounds = bounds
            buckets = [Int](repeating: 0, count: bounds.count)
        }

        mutating func observe(_ number: Double) {
            value += number
            count += 1
            if let bucket = bounds.firstIndex(where: { number <= $0 }) { buckets[bucket] += 1 }
        }
    }

    package let name: String
    package let kind: Kind
    package let help: String?
    /// Of a histogram's buckets, ascending, without the last one, which has none.
    package let bounds: [Double]
    /// By labels, which are in the order of their names.
    package private(set) var series: [[Label]: Series] = [:]

    init(name: String, kind: Kind, help: String?, bounds: [Double]) {
        self.name = name
        self.kind = kind
        self.help = help
        self.bounds = bounds
    }

    /// False if there is no room for another combination of labels.
    mutating func update(_ labels: [Label], limit: Int, _ change: (inout Series) -> Void) -> Bool {
        guard series.count < limit || series[labels] != nil else { return false }
        change(&series[labels, default: Series(bounds)])
        return true
    }
}
