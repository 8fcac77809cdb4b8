import LuaRuntime
import PostgresProtocol
import Replication
import Testing

@testable import Scripting

/// What `rh.pipeline` takes, and what it refuses.
@Suite struct PipelineLuaDeclarationTests {
    @Test func everyOptionArrives() async throws {
        try await PipelineLua.load(
            """
            return rh.pipeline "shop" {
              source = source, sink = sink, stream = false,
              tables = {
                ["public.customers"] = function(row) return row end,
                ["public.orders"] = { to = "dw.Orders", where = "id > 1", columns = { "id", note = "remark" }, key = "id",
                  on_error = "dead_letter", on_conflict = "upsert", types = { remark = "text" }, create = false },
                ["public.lines"] = { transform_batch = function() end, key = { "a", "b" } },
                ["public.audit_*"] = rh.skip,
                ["public.*"] = rh.copy,
              },
              snapshot = { workers = 4, chunk_rows = 1000, mode = "only" },
              limits = { row_time = "2s", batch_time = 60, memory = "64MB" },
              throttle = { rows_per_second = 1000, bytes_per_second = "1MB" },
              on_start = function() end,
            }
            """
        ) { pipelines, _ in
            let pipeline = try #require(pipelines.first)
            let definition = pipeline.definition
            #expect(pipelines.count == 1 && definition.name == "shop" && definition.scriptHash == "hash")
            #expect(definition.rules.count == 5)
            #expect(pipeline.source !== pipeline.sink)
            #expect(pipeline.limits == PipelineLimits(rowTime: .seconds(2), batchTime: .seconds(60), memory: 64 << 20))
            #expect(definition.throttle.rowsPerSecond == 1000 && definition.throttle.bytesPerSecond == 1_048_576)
            #expect(definition.snapshot.workers == 4 && definition.snapshot.chunkRows == 1000)
            #expect(definition.snapshot.mode == .only)
            var expected = TableOptions()
            expected.target = QualifiedName(schema: "dw", name: "orders")
            expected.columns = [.init(source: "id", target: "id"), .init(source: "note", target: "remark")]
            expected.filter = "id > 1"
            expected.key = ["id"]
            expected.onError = .deadLetter
            expected.onConflict = .upsert
            expected.types = ["remark": "text"]
            expected.creates = false
            #expect(options(definition, "orders") == expected)
            #expect(options(definition, "lines")?.key == ["a", "b"])
            #expect(options(definition, "lines")?.hasTransform == true)
            #expect(options(definition, "customers")?.hasTransform == true)
            #expect(options(definition, "audit_log") == nil)
            #expect(options(definition, "other") == TableOptions())
        }
    }

    private func options(_ definition: PipelineDefinition, _ table: String) -> TableOptions? {
        guard let rule = definition.rule(for: QualifiedName(schema: "public", name: table)),
            case .copy(let options) = definition.rules[rule].action
        else { return nil }
        return options
    }

    @Test(arguments: [
        ("shop { ['public.a'] = { trasnform = print } }", #"unknown option "trasnform", did you mean "transform"?"#),
        ("shop { ['public.a'] = { to = 5 } }", #"option "to": expected a table name ("schema.table"), got 5"#),
        ("shop { ['public.a'] = { to = 'dw.*' } }", #"expected a table name ("schema.table"), got "dw.*""#),
        ("shop { ['public.a'] = { on_error = 'ignore' } }", #"expected "stop", "dead_letter" or "skip", got "ignore""#),
        ("shop { ['public.a'] = { on_error = 'skpi' } }", #"got "skpi", did you mean "skip"?"#),
        ("shop { ['public.a'] = { create = 1 } }", "expected true or false, got 1"),
        ("shop { ['public.a'] = { columns = {} } }", "expected at least one column"),
        ("shop { ['public.a'] = { columns = { 'a', 'a' } } }", #"column "a" is named twice"#),
        ("shop { ['public.a'] = { columns = { 'a', b = 'a' } } }", #"two columns become "a""#),
        ("shop { ['public.a'] = { key = { 1 } } }", "expected a string, got 1"),
        ("shop { ['public.a'] = { types = { n = 1 } } }", #"option "types", column "n": expected a string, got 1"#),
        ("shop { ['public.a'] = { transform = print, transform_batch = print } }", "not both"),
        ("shop { ['public.a'] = rh.drop }", "rh.copy or rh.skip, got rh.drop"),
        ("shop { ['public.a'] = true }", "rh.copy or rh.skip, got true"),
        ("shop { ['a.b.c'] = rh.copy }", "expected a table's name"),
        ("shop { rh.copy }", "expected a table's name"),
        ("shop { ['public.a'] = rh.copy, a = rh.copy }", "means the same table"),
        ("shop {}", "expected at least one table"),
        ("rh.pipeline 'x' { source = source, sink = sink, stream = false }", #"option "tables" is missing"#),
        (
            "rh.pipeline 'x' { source = 'postgres://' }",
            #"option "source": expected a pool, got a string"#
        ),
        ("rh.pipeline 'x' { sorce = source }", #"unknown option "sorce", did you mean "source"?"#),
        ("rh.pipeline 'x' { on_schema_change = 'aply' }", #"did you mean "apply"?"#),
        ("rh.pipeline 'x' { heartbeat = 'often' }", "option \"heartbeat\""),
        ("rh.pipeline 'x' { on_commit = 'print' }", "expected a function, got \"print\""),
        ("rh.pipeline 'x' { snapshot = { mode = 'never', worker = 1 } }", #"did you mean "workers"?"#),
        ("rh.pipeline 'x' { snapshot = { workers = 0 } }", "expected an integer from 1 to 64, got 0"),
        ("rh.pipeline 'x' { apply = { connections = 65 } }", "expected an integer from 1 to 64, got 65"),
        ("rh.pipeline 'x' { apply = { conections = 2 } }", #"did you mean "connections"?"#),
        ("rh.pipeline 'x' { limits = { memory = 'lots' } }", "expected a size above 0"),
        ("rh.pipeline 'x' { limits = { row_time = '0s' } }", "expected a duration above 0"),
        ("rh.pipeline 'x' { throttle = { rows_per_second = 0 } }", "expected a number above 0, got 0"),
        ("rh.pipeline 'x' { on_start = 'f' }", #"option "on_start": expected a function, got "f""#),
        ("rh.pipeline ''", "expected a name of 1 to 63 bytes"),
        ("rh.pipeline('x', 5)", "expected a table of options, got 5"),
        ("rh.to(5, {})", "bad argument #1 to 'rh.to'"),
        ("rh.piepline 'x'", #"did you mean "pipeline"?"#),
    ])
    func refuses(_ script: String, _ message: String) async throws {
        let refusal = try await PipelineLua.refusal("\n\nlocal p = \(script)\nreturn p")

        #expect(refusal.contains(message))
        #expect(refusal.hasPrefix("shop.lua:3: "))
    }

    @Test func aFileReturnsOnePipelineOrAList() async throws {
        func names(_ script: String) async throws -> [String] {
            try await PipelineLua.load(script) { pipelines, _ in pipelines.map(\.definition.name) }
        }
        let one = "rh.pipeline('a', { source = source, sink = sink, stream = false, tables = { ['x.y'] = rh.copy } })"
        let two = "rh.pipeline 'b' { source = source, sink = sink, stream = false, tables = { ['x.y'] = rh.copy } }"

        #expect(try await names("return \(one)") == ["a"])
        #expect(try await names("return { \(one), \(two) }") == ["a", "b"])
        #expect(try await names("local p = \(one)").isEmpty)
        #expect(try await names("return { name = 'a module' }").isEmpty)
        #expect(try await PipelineLua.refusal("return { \(one), 7 }").contains("with a integer in place 2"))
        #expect(try await PipelineLua.refusal("return { \(one), \(one) }") == "RH3106 two pipelines are named \"a\"")
        #expect(try await PipelineLua.refusal("return rh.pipeline 'a'").hasPrefix("RH3107"))
    }

    @Test func hooksAreCalled() async throws {
        let failure = try await PipelineLua.load(
            """
            return rh.pipeline 'a' { source = source, sink = sink, stream = false, tables = { ['x.y'] = rh.copy },
              on_start = function() rh.sleep(0) end,
              on_stop = function() error "no" end }
            """
        ) { pipelines, _ in
            #expect(await pipelines[0].call(.start) == nil)
            #expect(await pipelines[0].call(.snapshotDone) == nil)
            return await pipelines[0].call(.stop)
        }

        #expect(failure?.error.message == "no")
        #expect(failure?.position == "shop.lua:3")
    }
}
