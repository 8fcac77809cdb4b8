import LuaRuntime
import Postgres

/// `pool:stats()`: counts are numbers, times are seconds.
enum PoolFacts {
    static func push(_ facts: PoolStatistics, to stack: LuaStack) {
        stack.pushTable(fieldCount: 24)
        let counts: [(String, Int)] = [
            ("max", facts.max), ("min", facts.min), ("size", facts.size), ("idle", facts.idle), ("in_use", facts.inUse),
            ("connecting", facts.connecting), ("closing", facts.closing), ("waiting", facts.waiting),
        ]
        for (name, value) in counts {
            stack.push(Int64(value))
            stack.setField(name, of: -2)
        }
        pushCounters(facts.counters, to: stack)
        for (name, histogram) in [("wait", facts.wait), ("use", facts.use), ("connect", facts.connect)] {
            push(histogram, to: stack)
            stack.setField(name, of: -2)
        }
        stack.push(facts.isClosed)
        stack.setField("closed", of: -2)
        if let failure = facts.lastFailure {
            stack.push(failure.summary)
            stack.setField("last_error", of: -2)
        }
    }

    private static func pushCounters(_ counters: PoolCounters, to stack: LuaStack) {
        let values: [(String, UInt64)] = [
            ("acquired", counters.acquired), ("waited", counters.waited), ("timeouts", counters.timeouts),
            ("cancelled", counters.cancelled), ("refused", counters.refused), ("created", counters.created),
            ("connect_failures", counters.connectsFailed), ("dead_found", counters.deadFound),
            ("checks", counters.checks), ("resets", counters.resets), ("leaks", counters.leaksReported),
            ("forgotten", counters.forgotten),
        ]
        for (name, value) in values {
            stack.push(Int64(clamping: value))
            stack.setField(name, of: -2)
        }
        stack.pushTable(fieldCount: counters.destroyed.count)
        for (reason, count) in counters.destroyed {
            stack.push(Int64(clamping: count))
            stack.setField("\(reason)", of: -2)
        }
        stack.setField("destroyed", of: -2)
    }

    private static func push(_ histogram: LatencyHistogram, to stack: LuaStack) {
        stack.pushTable(fieldCount: 5)
        stack.push(Int64(clamping: histogram.count))
        stack.setField("count", of: -2)
        let times = [("mean", histogram.mean), ("p50", histogram.quantile(0.5)), ("p99", histogram.quantile(0.99))]
        for (name, time) in times {
            guard let time else { continue }
            stack.push(time.inSeconds)
            stack.setField(name, of: -2)
        }
    }
}

extension Duration {
    package var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
