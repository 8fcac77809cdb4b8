import Testing

@testable import Postgres

struct ServerErrorRenderingTests {
    @Test func putsTheCaretBelowTheCharacterThatThePositionNames() {
        let caret = ServerError.caret(in: "select nope from t", at: 8)

        #expect(caret == ["LINE 1: select nope from t", "               ^"])
    }

    @Test func findsTheLineOfAPosition() {
        let sql = "select 1,\r\n\t\tnope\nfrom t"

        #expect(ServerError.caret(in: sql, at: 14) == ["LINE 2:   nope", "          ^"])
    }

    @Test func countsCharactersNotBytesAndWideOnesTwice() {
        let sql = "select 'äö', '日本', nope"

        #expect(
            ServerError.caret(in: sql, at: 20) == ["LINE 1: select 'äö', '日本', nope", "                             ^"])
    }

    @Test func cutsALongLineAroundTheCaret() {
        let sql = "select " + String(repeating: "a, ", count: 60) + "nope" + String(repeating: ", b", count: 60)
        let lines = ServerError.caret(in: sql, at: 188)

        #expect(lines[0].hasPrefix("LINE 1: ..."))
        #expect(lines[0].hasSuffix("..."))
        #expect(lines[0].count <= 8 + 60 + 6)
        let marked = lines[0].dropFirst(lines[1].count - 1).prefix(4)
        #expect(marked == "nope")
    }

    @Test func pointsBehindTheLastCharacter() {
        #expect(ServerError.caret(in: "select", at: 7) == ["LINE 1: select", "              ^"])
    }

    @Test(arguments: [0, -1, 100])
    func showsNothingForAPositionOutside(position: Int) {
        #expect(ServerError.caret(in: "select", at: position) == [])
    }

    @Test func showsEveryPartInPsqlsOrder() {
        var error = ServerError(severity: "ERROR", sqlstate: "22012", message: "division by zero", query: "select f()")
        error.detail = "d"
        error.hint = "h"
        error.internalQuery = "select 1/0"
        error.internalPosition = 9
        error.context = "PL/pgSQL function f() line 1"

        #expect(
            error.rendered
                == """
                ERROR:  division by zero
                LINE 1: select 1/0
                                ^
                DETAIL:  d
                HINT:  h
                QUERY:  select 1/0
                CONTEXT:  PL/pgSQL function f() line 1
                """)
        #expect(error.description == "ERROR: division by zero (SQLSTATE 22012)")
    }

    @Test(arguments: [("40001", true), ("40P01", true), ("08006", true), ("57P01", true), ("23505", false)])
    func knowsWhatMaySucceedWhenRepeated(sqlstate: String, expected: Bool) {
        #expect(ServerError(severity: "ERROR", sqlstate: sqlstate, message: "").isRetryable == expected)
    }
}
