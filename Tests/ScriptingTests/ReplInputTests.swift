import Scripting
import Testing

@Suite struct ReplInputTests {
    @Test func splitsSQLIntoStatements() {
        let input = SQLInput("select ';'; begin ;\n-- done\n")

        #expect(input?.statements == ["select ';'", "begin"])
        #expect(input?.word == "select")
        #expect(input?.isComplete == true)
    }

    @Test func knowsIncompleteSQL() {
        #expect(SQLInput("select 1")?.isComplete == false)
        #expect(SQLInput("SELECT 'a;")?.isComplete == false)
        #expect(SQLInput("do $$ begin; end")?.isComplete == false)
        #expect(SQLInput("select 1; select")?.isComplete == false)
    }

    @Test func takesNothingElseForSQL() {
        #expect(SQLInput("print(1)") == nil)
        #expect(SQLInput("x = 1") == nil)
        #expect(SQLInput("") == nil)
        #expect(SQLInput("-- select") == nil)
    }

    @Test func quotesTextForLua() {
        #expect(LuaLiteral.quoted("a\"b\\\n1\u{0}é") == "\"a\\\"b\\\\\\0101\\000é\"")
    }
}
