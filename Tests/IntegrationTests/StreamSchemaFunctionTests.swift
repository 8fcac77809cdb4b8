import Scripting
import TestSupport
import Testing

/// `on_schema_change = function(change)`.
@Suite(.onServer) struct StreamSchemaFunctionTests {
    private func file(_ function: String) async throws -> PipelineFile {
        let file = try PipelineFile(
            """
            local asked = 0
            return rh.pipeline "stream" { source = source, sink = sink, on_schema_change = function(change)
              \(function)
            end, tables = { ["public.*"] = rh.copy } }
            """)
        try file.run(onSource: "create table t (id int primary key, v int, w text); insert into t values (1, 1, 'w')")
        _ = try await follow(file).value()
        return file
    }

    private func follow(_ file: PipelineFile) async throws -> PipelineOutcome<[PipelineResult]> {
        try await file.perform { await $0.runPipelines(once: true) }
    }

    @Test func saysWhatBecomesOfEachChange() async throws {
        let file = try await file(
            """
            assert(change.table == "public.t" and #change.retyped <= 1, change.summary)
            if change.retyped[1] == "v" then return "apply" end
            if change.dropped[1] == "w" then return "ignore" end
            if change.added[1] == "later" then return "stop" end
            assert(change.summary == 'new column "n"' and #change.dropped == 0)
            return "apply"
            """)
        try file.run(
            onSource: "alter table t add n int; update t set n = 7",
            "alter table t alter v type bigint; update t set v = 1e10",
            "alter table t drop w; update t set n = 8")
        _ = try await follow(file).value()

        #expect(try file.server.run("select v, w, n from t", in: file.target) == "10000000000|w|8")
        try file.run(onSource: "alter table t add later int; update t set later = 1")
        #expect(try await follow(file).failure?.message.contains("new column \"later\"") == true)
    }

    @Test(arguments: [
        ("return 'aply'", "on_schema_change returned \"aply\" for public.t, which has changed: new column \"n\""),
        ("return nil", "on_schema_change returned nil for public.t"), ("", "on_schema_change returned nothing for"),
        ("error 'no idea'", "on_schema_change: no idea"), ("return change.ad.x", "on_schema_change: attempt to index"),
    ]) func anotherAnswerStopsTheStreamThere(_ function: String, _ message: String) async throws {
        let file = try await file(function)
        try file.run(onSource: "update t set v = 2", "alter table t add n int; update t set n = 7, v = 3")

        for _ in 1...2 {
            let failure = try await follow(file).failure
            #expect(failure?.message.hasPrefix(message) == true, "\(failure.debugDescription)")
            if message.contains(": ") && !message.contains("returned") {
                #expect(failure?.place?.line == 4 && failure?.details == "changed table public.t")
            }
        }
        #expect(try file.server.run("select v from t", in: file.target) == "2")
    }
}
