import Scripting
import Testing

extension ScriptTests {
    /// `rh.metric`.
    @Suite struct MetricTests {
        @Test func countersGaugesAndHistogramsCount() async throws {
            try await ScriptRun.passes(
                """
                local counter = rh.metric.counter("orders", { help = "Orders seen." })
                counter:inc() counter:inc(2.5)
                counter:inc(4, { country = "DE", big = true })
                eq(counter:value(), 3.5)
                eq(counter:value { big = true, country = "DE" }, 4.0)
                eq(counter:value { country = "FR" }, 0.0)
                local gauge = rh.metric.gauge "depth"
                gauge:set(10) gauge:inc() gauge:dec(3)
                eq(gauge:value(), 8.0)
                local histogram = rh.metric.histogram("seconds", { buckets = { 1, 2 } })
                for _, number in ipairs { 0.5, 1, 1.5, 9 } do histogram:observe(number) end
                local sum, count = histogram:value()
                eq(sum, 12.0) eq(count, 4)
                """)
        }

        @Test func theSameNameIsTheSameMetric() async throws {
            try await ScriptRun.passes(
                """
                rh.metric.counter("orders"):inc()
                rh.metric.counter("orders"):inc()
                eq(rh.metric.counter("orders"):value(), 2.0)
                raises("is a counter already", rh.metric.gauge, "orders")
                """)
        }

        @Test func workersShareThem() async throws {
            let directory = try await Tasks.moduleDirectory(
                """
                local rh = require "replhost"
                return { run = function(item) rh.metric.counter("made"):inc(item) return item end }
                """)
            try await ScriptRun.passes(
                """
                local made = rh.metric.counter "made"
                rh.workers(3, "scriptwork.run", { 1, 2, 3 })
                eq(made:value(), 6.0)
                """, in: directory)
        }

        @Test func wrongUseIsRefused() async throws {
            try await ScriptRun.passes(
                """
                raises("letters, digits", rh.metric.counter, "no blanks")
                raises("replhost_", rh.metric.counter, "replhost_mine")
                raises('did you mean "help"', rh.metric.counter, "a", { hlep = "x" })
                raises("only a histogram has buckets", rh.metric.gauge, "a", { buckets = { 1 } })
                raises("ascending", rh.metric.histogram, "a", { buckets = { 2, 1 } })
                local counter = rh.metric.counter "b"
                raises("not negative", counter.inc, counter, -1)
                raises("a number", counter.inc, counter, "many")
                raises("names of letters", counter.inc, counter, 1, { ["no name"] = 1 })
                raises("a string, a number or a boolean", counter.inc, counter, 1, { name = {} })
                raises('did you mean "inc"', function() return counter.inx end)
                raises("1000 combinations of labels", function() for i = 1, 2000 do counter:inc(1, { key = i }) end end)
                """)
        }
    }
}
