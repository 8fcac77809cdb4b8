import Scripting
import TestSupport
import Testing

extension ScriptTests {
    @Suite struct PipelineLimits {
        @Test func aRowOverItsTimeIsAFailureAndNoInterruption() async throws {
            let file = try PipelineFile(
                """
                return rh.pipeline "endless" { source = source, sink = sink, stream = false, limits = { row_time = 0.3 },
                  tables = { ["public.t"] = function(row) while row.id == 2 do end return row end } }
                """)
            try file.run(onSource: "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)")

            let failure = try #require(try await file.copy().failure)

            #expect(failure.message.contains("limit"), "\(failure)")
            #expect(try file.server.run("SELECT count(*) FROM t", in: file.target) == "0")
        }

        @Test func rowsAndBatchesHaveLimitsOfTheirOwn() async throws {
            let file = try PipelineFile(
                """
                local function busy(seconds) local started = os.clock(); while os.clock() < started + seconds do end end
                return rh.pipeline "both" { source = source, sink = sink, snapshot = { workers = 1 },
                  limits = { row_time = 0.2, batch_time = 20 },
                  tables = {
                    ["public.large"] = { transform_batch = function(batch) busy(1) end },
                    ["public.t"] = function(row) busy(10) return row end } }
                """)
            try file.run(
                onSource: "CREATE TABLE large (id int PRIMARY KEY); INSERT INTO large SELECT generate_series(1, 999)",
                "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)", "ANALYZE")

            let failure = try #require(try await file.copy().failure)

            #expect(failure.message.contains("0.2 seconds"), "\(failure)")
            #expect(try file.server.run("SELECT count(*) FROM large", in: file.target) == "999")
        }

        @Test func manyRowsMayTakeLongerThanOne() async throws {
            let file = try PipelineFile(
                """
                return rh.pipeline "slow" { source = source, sink = sink, stream = false, limits = { row_time = 0.4 },
                  tables = { ["public.t"] = function(row)
                    local started = os.clock(); while os.clock() < started + 0.05 do end; return row end } }
                """)
            try file.run(onSource: "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 30)")

            _ = try await file.copy().value()

            #expect(try file.server.run("SELECT count(*) FROM t", in: file.target) == "30")
        }
    }
}
