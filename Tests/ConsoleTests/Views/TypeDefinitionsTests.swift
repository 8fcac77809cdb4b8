import PostgresProtocol
import Testing

@testable import Console
@testable import Scripting

/// What `replhost types` writes, for fixed tables.
@Suite struct TypeDefinitionsTests {
    private func column(
        _ name: String, _ type: String, _ change: (inout TableTypes.Column) -> Void = { _ in }
    ) -> TableTypes.Column {
        var column = TableTypes.Column(name: name, type: type)
        change(&column)
        return column
    }

    private func table(_ name: String, in schema: String = "public", _ columns: [TableTypes.Column]) -> TableTypes {
        TableTypes(pipeline: "shop", table: QualifiedName(schema: schema, name: name), columns: columns, row: columns)
    }

    @Test func aTableIsAClassThatItsFunctionsKnow() {
        var customers = table(
            "customers",
            [
                column("id", "bigint") { ($0.isKey, $0.isNotNull) = (true, true) },
                column("zip", "zip") { ($0.baseType, $0.comment) = ("character varying(5)", "where\nit goes") },
                column("mood", "mood") { $0.labels = ["sad", "so \"so\""] },
            ])
        customers.comment = "Who buys\nthings"

        #expect(
            TypeDefinitions([customers], of: "shop.lua").text == #"""
                ---@meta _
                -- The tables of shop.lua, for the Lua language server, as "replhost types" writes them. Never executed.
                -- In "tables" of a pipeline, a function beside a table's name knows its row. Elsewhere, say which one it is:
                --   ---@param row public.customers

                --- public.customers: Who buys things
                ---@class (exact) public.customers: Row
                ---@field id integer # bigint, key
                ---@field zip string? # zip, a domain over character varying(5): where it goes
                ---@field mood "sad"|"so \"so\""|nil # mood

                ---@class public.customers.event: Event
                ---@field old public.customers?

                ---@class public.customers.batch: RowBatch
                ---@field each fun(self: public.customers.batch): fun(): public.customers?

                ---@class public.customers.options: TableOptions
                ---@field transform (fun(row: public.customers, event: public.customers.event): TransformResult)|nil
                ---@field transform_batch fun(batch: public.customers.batch, event: Event)|nil

                ---@class PipelineTables
                ---@field ["public.customers"] (fun(row: public.customers, event: public.customers.event): TransformResult)|public.customers.options|Copy|Skip|nil

                """#)
    }

    @Test(arguments: [
        ("boolean", "boolean"), ("smallint", "integer"), ("bigint", "integer"), ("oid", "integer"), ("real", "number"),
        ("double precision", "number"), ("numeric(10,2)", "Decimal"), ("text", "string"), ("jsonb", "string"),
        ("timestamp(3) with time zone", "string"), ("bytea", "string"), ("integer[]", "(integer|Null)[]"),
        ("numeric(10,2)[]", "(Decimal|Null)[]"), ("mood[]", "string"), ("point", "string"),
    ])
    func aTypeIsWhatItsValuesAreInLua(type: String, expected: String) {
        #expect(column("a", type).luaType == expected)
    }

    @Test(arguments: [
        ("id", "id"), ("a1_b", "a1_b"), ("1a", #"["1a"]"#), ("odd name", #"["odd name"]"#), ("end", #"["end"]"#),
        ("package", #"["package"]"#), (#"say "x""#, #"['say "x"']"#), (#"it's "x""#, #"["it's \"x\""]"#),
        ("größe", #"["größe"]"#), ("a\nb", #"["a\010b"]"#),
    ])
    func aColumnsNameIsQuotedIfItMust(name: String, expected: String) {
        #expect(FieldName.text(name) == expected)
    }

    @Test func classesHaveNamesOfTheirOwn() {
        let text = TypeDefinitions([table("a b", []), table("a_b", []), table("t", in: "we.ird", [])], of: "x").text

        #expect(text.contains("---@class (exact) public.a_b: Row"))
        #expect(text.contains("---@class (exact) public.a_b_2: Row"))
        #expect(text.contains("---@class (exact) we_ird.t: Row"))
        #expect(text.contains(#"---@field ['public."a b"'] (fun(row: public.a_b,"#))
        #expect(text.contains(#"---@field ["public.a_b"] (fun(row: public.a_b_2,"#))
    }

    @Test func twoPipelinesWithOneTableAreOneClassUnlessTheirRowsDiffer() {
        let (same, other) = (table("t", [column("a", "text")]), table("t", [column("b", "text")]))
        let text = TypeDefinitions([same, same, other], of: "x").text

        #expect(text.split(separator: "---@class (exact) ").count == 3)
        #expect(text.contains("public.t_2: Row"))
        #expect(text.split(separator: #"---@field ["public.t"]"#).count == 2)
    }

    @Test func recordedTypesAreLuaInTheOrderOfNames() {
        let recorded = RecordedTypes(
            [
                table("orders", [column("id", "bigint") { ($0.isKey, $0.isNotNull) = (true, true) }]),
                table(
                    "customers",
                    [
                        column("odd \"name", "zip") { $0.baseType = "text" },
                        column("mood", "mood") { ($0.labels, $0.isGenerated) = (["a", "b"], true) },
                    ]),
            ], of: "shop.lua")

        #expect(recorded.conflict == nil)
        #expect(
            recorded.text == #"""
                -- Column types of shop.lua, for tests without a database. Recorded by "replhost types": do it again when they change.
                return {
                  ["public.customers"] = {
                    { name = "odd \"name", type = "zip", base = "text" },
                    { name = "mood", type = "mood", labels = { "a", "b" }, generated = true },
                  },
                  ["public.orders"] = {
                    { name = "id", type = "bigint", key = true, not_null = true },
                  },
                }

                """#)
    }

    @Test func twoSourcesMustAgreeOnATableThatIsRecorded() {
        let recorded = RecordedTypes([table("t", [column("a", "text")]), table("t", [])], of: "x")

        #expect(recorded.conflict?.code == "RH3494")
        #expect(RecordedTypes([table("t", []), table("t", [])], of: "x").conflict == nil)
    }
}
