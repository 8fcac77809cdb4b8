import Scripting
import Testing

@testable import Console

@Suite struct FailureReporterTests {
    private let source = """
        local function f(row)
        \trow.emial = mask(row.email)
        end
        pirnt(é, pirnt)
        """

    private func text(_ report: FailureReport) -> String {
        FailureReporter(texts: ["shop.lua": source], palette: .plain).text(report)
    }

    @Test func marksTheNameInItsLine() {
        let report = FailureReport(
            code: "RH2104", "no column \"emial\" in public.customers", hint: "Did you mean \"email\"?",
            place: SourcePlace(file: "shop.lua", line: 2))

        #expect(
            text(report) == """
                error[RH2104]: no column "emial" in public.customers
                  --> shop.lua:2:6
                    2 |     row.emial = mask(row.email)
                      |         ^^^^^ did you mean "email"?

                """)
    }

    @Test func showsTheLineWithoutACaretWhenNothingInItIsNamed() {
        let report = FailureReport("out of luck", place: SourcePlace(file: "shop.lua", line: 3))

        #expect(
            text(report) == """
                error: out of luck
                  --> shop.lua:3
                    3 | end

                """)
    }

    @Test func showsNoPasswordOfTheLineOrTheMessage() {
        let line = "p = rh.pool { dsn = 'postgres://u:s3cret@h/x' } x"
        let report = FailureReport(
            "got \"postgres://u:s3cret@h/x\", expected \"x\"", place: SourcePlace(file: "a.lua", line: 1))
        let text = FailureReporter(texts: ["a.lua": line], palette: .plain).text(report)

        #expect(!text.contains("s3cret"))
        #expect(text.contains("postgres://u:******@h/x' } x"))
    }

    @Test func showsNoLineOfAFileThatIsNoText() {
        let report = FailureReport("syntax error", place: SourcePlace(file: "a.lua", line: 1))

        #expect(
            FailureReporter(texts: ["a.lua": "H\u{FFFD}\u{11}"]).text(report) == "error: syntax error\n  --> a.lua:1\n")
    }

    @Test func showsNoLineWhenTheFileIsGone() {
        let report = FailureReport("x", hint: "Do y.", place: SourcePlace(file: "/nowhere/a.lua", line: 3))

        #expect(text(report) == "error: x\n  --> /nowhere/a.lua:3\n  help: Do y.\n")
    }

    @Test func showsTheSQLBeforeTheScript() {
        let report = FailureReport(
            code: "RH2201", "column \"pirnt\" does not exist", sqlstate: "42703",
            details: "LINE 1: select pirnt\n               ^\nHINT:  Perhaps not.", hint: "Perhaps not.",
            place: SourcePlace(file: "shop.lua", line: 4))

        #expect(
            text(report) == """
                error[RH2201]: column "pirnt" does not exist (SQLSTATE 42703)
                  LINE 1: select pirnt
                                 ^
                  HINT:  Perhaps not.
                  --> shop.lua:4:1
                    4 | pirnt(é, pirnt)
                      | ^^^^^

                """)
    }

    @Test func showsHowTheScriptGotThere() {
        let calls = (1...10).map { "shop.lua:\($0): in function 'f'" }
        let output = text(FailureReport("x", calls: calls))

        #expect(output.hasPrefix("error: x\n  calls:\n    shop.lua:1: in function 'f'\n"))
        #expect(output.hasSuffix("    shop.lua:8: in function 'f'\n    ... and 2 more\n"))
        #expect(
            text(FailureReport("x", calls: ["f", "f", "g"])) == """
                error: x
                  calls:
                    f (2 times)
                    g

                """)
        #expect(text(FailureReport("x", calls: ["shop.lua:1: in main chunk"])) == "error: x\n")
    }

    @Test func showsSeveralFailuresOneAfterTheOther() {
        let reporter = FailureReporter(palette: .plain)

        #expect(reporter.text([FailureReport("a"), FailureReport("b")]) == "error: a\n\nerror: b\n")
    }

    @Test func letsNoMessageMoveTheCursor() {
        #expect(text(FailureReport("a\u{1B}[2J\n\tb\u{7}")) == "error: a\\x1b[2J\n    b\\x07\n")
    }

    @Test func coloursOnlyWhenAsked() {
        let output = FailureReporter(palette: .coloured).text(FailureReport(code: "RH1", "a", hint: "B."))

        #expect(output == "\u{1B}[1;31merror[RH1]\u{1B}[0m: a\n  \u{1B}[36mhelp:\u{1B}[0m B.\n")
    }

    @Test func cutsALongLineAroundTheCaret() {
        let line = String(repeating: "x ", count: 400) + "name" + String(repeating: " y", count: 400)
        let excerpt = SourceExcerpt(SourcePlace(file: "a", line: 1), line: line, for: FailureReport("no \"name\""))
        let lines = excerpt.lines(.plain, note: nil)

        #expect(lines[0] == "  --> a:1:801")
        #expect(lines[1].count <= 170)
        #expect(lines[2].contains("^^^^"))
        #expect(
            Array(lines[1])[
                lines[2].firstIndex(of: "^").map { lines[2].distance(from: lines[2].startIndex, to: $0) } ?? 0] == "n")
    }
}
