import PostgresProtocol
import Scripting
import TestSupport
import Testing

/// What a process that runs pipelines tells of itself.
@Suite(.onServer) struct RunFiguresTests {
    private static let script = """
        local seen = rh.metric.counter("seen_rows", { help = "Rows that the function has seen." })
        return rh.pipeline "figures" { source = source, sink = sink, tables = {
          ["public.t"] = { on_error = "dead_letter", on_conflict = "upsert", transform = function(row, event)
            seen:inc(1, { op = event.op })
            if row.v == "bad" then error("bad") end
            return row
          end },
          ["public.plain"] = rh.copy } }
        """

    private static let tables = """
        create table t (id int primary key, v text); create table plain (id int primary key);
        insert into t select i, case when i = 7 then 'bad' else 'v' end from generate_series(1, 100) i;
        insert into plain values (1)
        """

    /// Of a run up to now, after its end.
    private func figures(of file: PipelineFile) async throws -> RunFigures {
        var figures: RunFigures?
        _ = try await file.perform { host in
            let outcome = await host.runPipelines(once: true)
            figures = await host.figures()
            return outcome
        }.value()
        return try #require(figures)
    }

    @Test func aCopyIsCountedByTable() async throws {
        let file = try PipelineFile(Self.script)
        try file.run(onSource: Self.tables)

        let figures = try await figures(of: file)

        let pipeline = try #require(figures.pipelines.first)
        let table = try #require(pipeline.tables.first { $0.source.name == "t" })
        #expect(table.state == .copied)
        #expect(table.rows == 100)
        #expect(table.deadLetters == 1)
        #expect(pipeline.deadLetters == 1)
        let function = try #require(table.function)
        #expect(function.rows == 100)
        #expect(function.time > .zero)
        #expect(pipeline.tables.first { $0.source.name == "plain" }?.function == nil)
        #expect(figures.pools.map(\.name) == ["source", "sink"])
        #expect(figures.pools.allSatisfy { $0.acquired > 0 && $0.connect.count > 0 })
        #expect(figures.residentBytes > 1 << 20)
        #expect(figures.script?.hasSuffix("/pipeline.lua") == true)
    }

    @Test func changesAreCountedByTable() async throws {
        let file = try PipelineFile(Self.script)
        try file.run(onSource: Self.tables)
        _ = try await figures(of: file)
        try file.run(onTarget: "insert into t values (201, 'here')")
        try file.run(
            onSource: "insert into t values (201, 'a'), (202, 'bad'), (203, 'b'); insert into plain values (2)",
            "update t set v = 'w' where id <= 3", "delete from plain where id = 1")

        let figures = try await figures(of: file)

        let pipeline = try #require(figures.pipelines.first)
        let stream = try #require(pipeline.stream)
        #expect(stream.changes == 8)
        #expect(stream.transactions == 3)
        #expect((stream.inserted, stream.updated, stream.deleted) == (3, 3, 1))
        #expect(stream.lag == 0)
        #expect(stream.delay == .zero)
        #expect(stream.commitTime?.hasPrefix("20") == true)
        let table = try #require(pipeline.tables.first { $0.source.name == "t" })
        #expect((table.inserted, table.updated, table.deleted) == (2, 3, 0))
        #expect(table.conflicts == 1)
        #expect(table.deadLetters == 2)
        #expect(table.state == .kept)
        #expect(table.rows == 100)
        let plain = try #require(pipeline.tables.first { $0.source.name == "plain" })
        #expect((plain.inserted, plain.deleted) == (1, 1))
        #expect(figures.metrics.map(\.name) == ["seen_rows"])
        let series = try #require(figures.metrics.first?.series)
        #expect(Set(series.keys.flatMap { $0.map(\.value) }) == ["insert", "update"])
        #expect(series.values.map(\.value).sorted() == [3, 3])
    }

    @Test func tablesThatFunctionsSendRowsToAreThere() async throws {
        let file = try PipelineFile(
            """
            return rh.pipeline "figures" { source = source, sink = sink, tables = {
              ["public.t"] = function(row) return { row, rh.to("public.other", { id = row.id, v = row.v }) } end } }
            """)
        try file.run(onSource: "create table t (id int primary key, v text)")
        try file.run(onTarget: "create table other (id int primary key, v text)")
        _ = try await figures(of: file)
        try file.run(onSource: "insert into t values (1, 'a'), (2, 'b')")

        let figures = try await figures(of: file)

        #expect(figures.pipelines[0].tables.first { $0.target.name == "other" }?.inserted == 2)
    }

    @Test func batchesAreMeasured() async throws {
        let file = try PipelineFile(
            """
            return rh.pipeline "figures" { source = source, sink = sink, stream = false, tables = {
              ["public.t"] = { transform_batch = function(batch)
                source:query("select pg_sleep(0.05)")
                for row in batch:each() do row.v = row.v .. "!" end
              end } } }
            """)
        try file.run(onSource: Self.tables)

        let figures = try await figures(of: file)

        let function = try #require(figures.pipelines[0].tables.first { $0.source.name == "t" }?.function)
        #expect(function.rows == 100)
        #expect(function.time > .milliseconds(50))
    }

    @Test func whatMadeAPipelineBeginAgainIsSaid() async throws {
        let server = try TestServer.start()
        defer { try? server.stop() }
        let file = try PipelineFile(
            #"return rh.pipeline "figures" { source = source, sink = sink, tables = { ["public.*"] = rh.copy } }"#,
            on: server)
        try file.run(onSource: Self.tables)

        let failure = try await file.perform { host in
            let run = Task { await host.runPipelines() }
            #expect(await eventually { await host.figures().isReady })
            _ = try? server.run(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'replhost%'",
                in: file.target)
            #expect(await eventually { await host.figures().pipelines.first?.lastFailure != nil })
            #expect(await eventually { await host.figures().isReady })
            let failure = await host.figures().pipelines.first?.lastFailure
            #expect(await host.figures().workers.contains { $0.name.hasPrefix("worker") && $0.luaBytes > 0 })
            host.interrupt()
            _ = await run.value
            return PipelineOutcome.done(failure)
        }.value()

        #expect(failure?.message.contains("terminating connection") == true, "\(failure as Any)")
    }
}
