import Scripting
import Testing

@testable import Console

@Suite struct CompletionContextTests {
    @Test func tellsLanguagesApart() {
        #expect(CompletionContext("rh.mask.em") == .lua(path: ["rh", "mask"], isMethod: false, typed: "em"))
        #expect(CompletionContext("x = conn:qu") == .lua(path: ["conn"], isMethod: true, typed: "qu"))
        #expect(CompletionContext("sel") == .lua(path: [], isMethod: false, typed: "sel"))
        #expect(CompletionContext("\\ti") == .command(typed: "ti"))
        #expect(CompletionContext("\\d cu") == .argument(of: "d", position: 1, typed: "cu"))
    }

    @Test func findsSQLInLuaStrings() {
        #expect(CompletionContext(#"conn:query("select * from cu"#) == .sql(SQLPlace("select * from cu")))
        #expect(CompletionContext(#"x("select 1") y.z"#) == .lua(path: ["y"], isMethod: false, typed: "z"))
    }

    @Test func knowsTablesAndTheirAliases() {
        let place = SQLPlace("select c.na", after: " from public.customers c, orders as o join x on true")

        #expect(place.owner == "c")
        #expect(place.typed == "na")
        #expect(place.tables["c"] == "public.customers")
        #expect(place.tables["o"] == "orders")
        #expect(place.tables["x"] == "x")
    }

    private let catalog = NameCatalog(
        relations: [
            .init(schema: "public", name: "customers", isVisible: true, columnList: "id\nname\nNote"),
            .init(schema: "public", name: "custody", isVisible: true, columnList: "id"),
            .init(schema: "dw", name: "customs", isVisible: false, columnList: ""),
        ], schemas: ["dw", "public"], functions: ["now", "numnode"])

    @Test func offersWhatFitsThePlace() {
        let names = SQLNames(catalog)

        #expect(names.names(SQLPlace("select * from cust")).sorted() == ["custody", "customers"])
        #expect(names.names(SQLPlace("select * from dw.c")) == ["customs"])
        #expect(names.names(SQLPlace("select na", after: " from customers")) == ["name"])
        #expect(names.names(SQLPlace("select \"N", after: " from customers")) == ["\"Note\""])
        #expect(names.names(SQLPlace("select c.", after: " from customers c")) == ["id", "name", "\"Note\""])
        #expect(names.names(SQLPlace("SELECT 1 FR")) == ["FREEZE", "FROM"])
        #expect(names.names(SQLPlace("select no")) == ["not", "nothing", "notify", "now"])
    }
}

@Suite struct NameCatalogTests {
    @Test func findsRangesInManyNames() {
        let relations = (0..<10_000).map { number in
            NameCatalog.Relation(schema: "s\(number % 7)", name: "t\(number)", isVisible: true, columnList: "a\nb")
        }
        let catalog = NameCatalog(relations: relations.shuffled(), schemas: [], functions: [])

        #expect(catalog.relations("t").count == 10_000)
        #expect(catalog.relations("t999").map(\.name) == ["t999"] + (0..<10).map { "t999\($0)" })
        #expect(!catalog.relations("t1", in: "s0").isEmpty)
        #expect(catalog.names("t9999") == ["t9999"] && catalog.names("t1", in: "s0").count > 100)
        #expect(catalog.relations("t1", in: "s0").allSatisfy { $0.name.hasPrefix("t1") && $0.schema == "s0" })
        #expect(catalog.relations("u").isEmpty && catalog.relations("a").isEmpty)
        #expect(catalog.relation("t42", in: nil)?.columns == ["a", "b"])
    }
}
