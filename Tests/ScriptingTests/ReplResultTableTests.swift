import Scripting
import Testing

@Suite struct ReplResultTableTests {
    private let columns: [ResultTable.Column] = [
        .init("id", isNumeric: true), .init("name"), .init("price", isNumeric: true),
    ]

    @Test func alignsNumbersToTheRightAndTextToTheLeft() {
        let text = ResultTable.render(
            columns: columns, rows: [["1", "Ann", "9.99"], ["12", "Bartholomew", "10"]])

        #expect(
            text == """
                 id |    name     | price
                ----+-------------+-------
                  1 | Ann         |  9.99
                 12 | Bartholomew |    10
                (2 rows)
                """)
    }

    @Test func tellsNullFromEmptyTextAndFromTheTextNull() {
        let text = ResultTable.render(
            columns: [.init("a"), .init("b")], rows: [[nil, "x"], ["", "x"], ["NULL", nil]])

        #expect(
            text == """
                   a    |  b
                --------+------
                 NULL   | x
                        | x
                 "NULL" | NULL
                (3 rows)
                """)
    }

    @Test func countsWideCharactersTwiceAndCombiningMarksNot() {
        let text = ResultTable.render(
            columns: [.init("t"), .init("n", isNumeric: true)],
            rows: [["日本", "1"], ["e\u{301}te\u{301}", "2"], ["👩‍👩‍👧x", "3"], ["한글", "4"], ["ｱabc", "5"]])

        #expect(
            text == """
                  t   | n
                ------+---
                 日本 | 1
                 e\u{301}te\u{301}  | 2
                 👩‍👩‍👧x  | 3
                 한글 | 4
                 ｱabc | 5
                (5 rows)
                """)
    }

    @Test func escapesWhatWouldMoveTheCursorOrBreakTheLine() {
        let text = ResultTable.render(
            columns: [.init("a\tb")], rows: [["one\ntwo"], ["\u{1B}[2J"], ["x\u{202E}y"]])

        #expect(
            text == #"""
                    a\tb
                ------------
                 one\ntwo
                 \x1b[2J
                 x\u{202e}y
                (3 rows)
                """#)
    }

    @Test func countsRowsInTheLastLine() {
        #expect(ResultTable.render(columns: [.init("a")], rows: []) == " a\n---\n(0 rows)")
        #expect(ResultTable.render(columns: [], rows: [[]]) == "(1 row)")
        #expect(
            ResultTable.render(columns: [.init("a")], rows: [["1"]], total: 500)
                == " a\n---\n 1\n(the first 1 of 500 rows)")
    }
}
