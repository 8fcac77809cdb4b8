import PostgresProtocol
import Replication
import Testing

struct TablePatternTests {
    private func pattern(_ text: String) throws -> TablePattern { try #require(TablePattern(text)) }

    private func name(_ schema: String, _ name: String) -> QualifiedName { QualifiedName(schema: schema, name: name) }

    @Test func matchesWholeNamesWithWildcards() throws {
        #expect(try pattern("public.audit_*").matches(name("public", "audit_log")))
        #expect(try !pattern("public.audit_*").matches(name("public", "my_audit_log")))
        #expect(try pattern("*.t?").matches(name("x", "t1")))
        #expect(try !pattern("*.t?").matches(name("x", "t12")))
        #expect(try pattern("*.*").matches(name("a", "b")))
    }

    @Test func foldsCaseAsSQLDoes() throws {
        #expect(try pattern("Public.Orders").matches(name("public", "orders")))
        #expect(try pattern("public.\"Odd.*\"\"name\"").matches(name("public", "Odd.*\"name")))
    }

    @Test func aNameAloneIsInPublic() throws {
        #expect(try pattern("orders").exactName == name("public", "orders"))
    }

    @Test(arguments: ["", "a.", ".b", "a.b.c", "\"open"])
    func refusesWhatIsNoName(_ text: String) {
        #expect(TablePattern(text) == nil)
    }

    @Test func theMostSpecificRuleCounts() throws {
        let texts = ["public.*", "public.audit_*", "*.*", "public.audit_log", "public.*_log"]
        let rules = try texts.map { TableRule(try pattern($0), .skip) }
        let definition = PipelineDefinition(name: "p", rules: rules, scriptHash: "")

        #expect(definition.rule(for: name("public", "audit_log")) == 3)
        #expect(definition.rule(for: name("public", "audit_x")) == 1)
        #expect(definition.rule(for: name("public", "x_log")) == 4)
        #expect(definition.rule(for: name("public", "x")) == 0)
        #expect(definition.rule(for: name("other", "x")) == 2)
    }
}
