import PostgresProtocol
import Testing

@Suite struct SQLTextTests {
    @Test func identifiersAreQuotedAlways() {
        #expect(SQLText.quoteIdentifier("orders") == "\"orders\"")
        #expect(SQLText.quoteIdentifier("a\"b\nc") == "\"a\"\"b\nc\"")
    }

    @Test func literalsSurviveQuotesAndBackslashes() {
        #expect(SQLText.quoteLiteral("it's") == "'it''s'")
        #expect(SQLText.quoteLiteral("a\\'b") == "E'a\\\\''b'")
        #expect(SQLText.quoteLiteral("") == "''")
    }
}

@Suite struct QualifiedNameTests {
    @Test(arguments: [
        ("orders", nil, "orders"), ("Public.Orders", "public", "orders"), ("\"a.b\".\"c\"\"d\"", "a.b", "c\"d"),
        ("s.\"X y\"", "s", "X y"),
    ])
    func readsParts(text: String, schema: String?, name: String) {
        let parsed = QualifiedName(parsing: text)

        #expect(parsed == QualifiedName(schema: schema, name: name))
        #expect(parsed.flatMap { QualifiedName(parsing: $0.description) } == parsed)
        #expect(parsed.flatMap { QualifiedName(parsing: $0.sql) } == parsed)
    }

    @Test(arguments: ["", ".", "a.", ".a", "a.b.c", "\"a", "\"a\"b", "a\"b\"", "\"\""])
    func rejectsWhatIsNoName(text: String) {
        #expect(QualifiedName(parsing: text) == nil)
    }
}
