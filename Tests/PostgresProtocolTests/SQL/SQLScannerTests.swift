import PostgresProtocol
import TestSupport
import Testing

@Suite struct SQLScannerTests {
    private func texts(_ sql: String) -> [String] {
        let bytes = Array(sql.utf8)
        return SQLScanner.statements(in: sql).map { String(decoding: bytes[$0.range], as: UTF8.self) }
    }

    @Test(arguments: [
        ("select 1; select 2", ["select 1", "select 2"]),
        ("select ';' ; select 'a'';' ;", ["select ';'", "select 'a'';'"]),
        ("select E'\\';' ; x", ["select E'\\';'", "x"]),
        ("select '\\'; x", ["select '\\'", "x"]),
        ("select e'a'\n  'b\\';' ; x", ["select e'a'\n  'b\\';'", "x"]),
        ("select e'a' ';' ; x", ["select e'a' ';'", "x"]),
        ("select \"a;\"\"b;\"; x", ["select \"a;\"\"b;\"", "x"]),
        ("select $$;$$; select $a$;$$;$b$;$a$; x", ["select $$;$$", "select $a$;$$;$b$;$a$", "x"]),
        ("select $1; select a$b$; x", ["select $1", "select a$b$", "x"]),
        ("select 1 /* ; /* ; */ ; */ ; x", ["select 1", "x"]),
        ("select 1 -- ;\n+ 2; x", ["select 1 -- ;\n+ 2", "x"]),
        (
            "create rule r as on insert to t do (select 1; select 2); x",
            ["create rule r as on insert to t do (select 1; select 2)", "x"]
        ),
        (";; ; -- nothing\n /* */ ;", []),
        ("", []),
        ("sélect 'ü;'; x", ["sélect 'ü;'", "x"]),
        ("select U&'d\\0061t;' ; x", ["select U&'d\\0061t;'", "x"]),
        ("begin; select 1; end; x", ["begin", "select 1", "end", "x"]),
        ("select (case when true then 1 end); x", ["select (case when true then 1 end)", "x"]),
    ])
    func splitsWherePsqlSplits(sql: String, expected: [String]) {
        #expect(texts(sql) == expected)
    }

    @Test func functionBodiesAreOneStatement() {
        let body = """
            create or replace function f(a int) returns int begin atomic
              select case when a > 0 then 1 else 2 end; select 2;
            end
            """
        #expect(texts(body + "; select 1") == [body, "select 1"])
        #expect(texts("create procedure p() begin atomic select 1; end; x").count == 2)
        #expect(SQLScanner.openAtEnd(of: "create function f() returns int begin atomic select 1;") == .body)
    }

    @Test func keywordIsTheFirstWord() {
        #expect(SQLScanner.statements(in: " /* a */ select 1").first?.keyword == "SELECT")
        #expect(SQLScanner.statements(in: "(select 1)").first?.keyword == "")
        #expect(SQLScanner.statements(in: "Copy t from stdin").first?.keyword == "COPY")
    }

    @Test func singleMeansOneStatementWithAnyTail() {
        #expect(SQLScanner.isSingle("select 1"))
        #expect(SQLScanner.isSingle("select 1; -- done"))
        #expect(SQLScanner.isSingle("; select 1 ;;"))
        #expect(!SQLScanner.isSingle("select 1; select 2"))
    }

    @Test(arguments: [
        ("select 'a", OpenConstruct.singleQuote), ("select \"a", .doubleQuote),
        ("select $f$ $$", .dollarQuote(tag: "f")),
        ("select 1 /* /* */", .comment), ("select (1", .parenthesis), ("select 1", .nothing), ("select 1;", .nothing),
        ("/* a", .comment), ("select ((1) 'b", .singleQuote), ("select 1; /*", .comment),
    ])
    func tellsWhatIsOpen(sql: String, open: OpenConstruct) {
        #expect(SQLScanner.openAtEnd(of: sql) == open)
    }

    @Test func inputIsCompleteAfterTheSemicolon() {
        #expect(SQLScanner.isComplete("select 1;"))
        #expect(SQLScanner.isComplete("select 1; -- end"))
        #expect(SQLScanner.isComplete(""))
        #expect(!SQLScanner.isComplete("select 1"))
        #expect(!SQLScanner.isComplete("select 1; /* open"))
        #expect(!SQLScanner.isComplete("select ';"))
    }

    @Test func anyBytesAreSplitWithoutLossOfOrder() {
        var generator = SeededGenerator()
        print("seed \(generator.seed)")
        let alphabet = Array("aeE'\"$;()-/*\\\n 1ü".utf8)
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? 0x20
            }
            var last = 0
            for statement in SQLScanner(utf8: bytes) {
                #expect(statement.range.lowerBound >= last && statement.range.upperBound <= statement.end)
                #expect(!statement.range.isEmpty && statement.end <= bytes.count)
                last = statement.end
            }
        }
    }
}
