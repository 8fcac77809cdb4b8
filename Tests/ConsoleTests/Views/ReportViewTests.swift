import PostgresProtocol
import Testing

@testable import Console
@testable import Scripting

/// What commands print, for fixed reports.
@Suite struct ReportViewTests {
    private let customers = QualifiedName(schema: "public", name: "customers")
    private let orders = QualifiedName(schema: "dw", name: "orders")
    private let reporter = FailureReporter(palette: .plain)

    @Test func sumsARunUp() {
        let result = PipelineResult(
            pipeline: "shop", wasComplete: false, tables: 2, read: 2000, written: 1890, dropped: 100, skipped: 7,
            deadLetters: 3, bytes: 3 << 20, duration: .milliseconds(2000))
        let summary = RunSummary(results: [result], rowsBefore: ["shop": 1000], path: "shop.lua")

        #expect(
            summary.text(.plain) == """
                shop: 2 tables copied in 2.0 s
                  2000 rows read, 1890 written, 100 dropped, 7 skipped after errors
                  3.00 MB, 500 rows/s
                  3 dead letters: replhost dlq list shop.lua

                """)
        #expect(
            summary.json == """
                [{"pipeline": "shop", "was_complete": false, "tables": 2, "read": 2000, "written": 1890, \
                "dropped": 100, "skipped": 7, "dead_letters": 3, "bytes": 3145728, "transactions": 0, \
                "changes": 0, "conflicts": [], "seconds": 2.000}]
                """)
    }

    @Test func saysThatNothingWasLeftToDo() {
        let result = PipelineResult(
            pipeline: "shop", wasComplete: true, tables: 2, read: 1, written: 1, dropped: 0, skipped: 0,
            deadLetters: 0, bytes: 1, duration: .zero)
        let summary = RunSummary(results: [result], rowsBefore: [:], path: "shop.lua")

        #expect(summary.text(.plain) == "shop: already complete: nothing to do\n")
    }

    @Test func saysWhatStaysOfAnInterruptedRun() {
        let table = PipelineProgress.Table(
            source: customers, target: customers, state: .copied, rows: 10, estimatedRows: nil, bytes: 0,
            chunksDone: 1, chunks: 1)
        let progress = PipelineProgress(
            pipeline: "shop", phase: .copying, note: nil, elapsed: .zero, tables: [table], stepsDone: 0, steps: 0)

        #expect(
            RunSummary.interrupted([progress])
                == "shop has 1 of 1 table, 10 rows; what is committed stays, and the same command goes on from there")
    }

    @Test func showsFindingsAsErrors() {
        let findings = [
            CheckFinding(
                .error, pipeline: "shop", FailureReport(code: "RH3410", "no key in public.a", hint: "Add one.")),
            CheckFinding(.warning, pipeline: "shop", FailureReport(code: "RH3411", "a \"mask\" loses uniqueness")),
        ]
        let view = CheckView(findings: findings, reporter: reporter)

        #expect(
            view.text(.plain) == """
                error[RH3410]: no key in public.a
                  help: Add one.

                warning[RH3411]: a "mask" loses uniqueness

                1 error, 1 warning

                """)
        #expect(
            view.json == #"""
                {"errors": 1, "warnings": 1, "findings": [{"severity": "error", "pipeline": "shop", "code": "RH3410", \#
                "message": "no key in public.a", "sqlstate": null, "details": null, "hint": "Add one.", "file": null, \#
                "line": null}, {"severity": "warning", "pipeline": "shop", "code": "RH3411", \#
                "message": "a \"mask\" loses uniqueness", "sqlstate": null, "details": null, "hint": null, \#
                "file": null, "line": null}]}
                """#)
        #expect(CheckView(findings: [], reporter: reporter).text(.plain) == "no findings\n")
    }

    @Test func namesPipelinesWhereThereAreSeveral() {
        let findings = [
            CheckFinding(.warning, pipeline: "a", FailureReport("x")),
            CheckFinding(.warning, pipeline: "b", FailureReport("y")),
        ]
        let view = CheckView(findings: findings, reporter: reporter)

        #expect(view.text(.plain) == "warning: a: x\n\nwarning: b: y\n\n2 warnings\n")
    }

    @Test func showsAPlan() {
        let plan = PlanReport(
            pipeline: "shop",
            tables: [
                .init(
                    source: customers, target: customers, state: "new", estimatedRows: 1000, chunks: "2 chunks by id",
                    format: "binary", hasTransform: true),
                .init(
                    source: QualifiedName(schema: "public", name: "orders"), target: orders, state: "existing",
                    estimatedRows: nil, chunks: "1 chunk", format: "text", hasTransform: false),
            ],
            skipped: [QualifiedName(schema: "public", name: "audit_log")], sourceSQL: [],
            targetSQL: ["CREATE TABLE a (\n    id int\n)", "ANALYZE a"],
            leftOut: ["index \"i\" of public.customers: it is not valid in the source"])
        let view = PlanView(plans: [plan])

        #expect(
            view.text(.plain) == """
                pipeline shop

                      source      |  target   |  state   |  rows |     chunks     | format | function
                ------------------+-----------+----------+-------+----------------+--------+----------
                 public.customers | same      | new      | ~1000 | 2 chunks by id | binary | yes
                 public.orders    | dw.orders | existing |       | 1 chunk        | text   |

                left out: public.audit_log

                Nothing is to be done in the source.

                in the target:
                  CREATE TABLE a (
                      id int
                  );
                  ANALYZE a;

                not made in the target:
                  index "i" of public.customers: it is not valid in the source

                """)
        #expect(view.json.hasPrefix(#"[{"pipeline": "shop", "tables": [{"source": "public.customers", "#))
        #expect(
            view.json.contains(#""target_sql": ["CREATE TABLE a (\n    id int\n)", "ANALYZE a"], "left_out": ["#))
    }

    @Test func showsRowsBeforeAndAfter() {
        let preview = PreviewReport(
            pipeline: "shop", source: customers, target: customers,
            rows: [
                .init(
                    before: [("id", "1"), ("email", "ann@mail.org"), ("ssn", "12"), ("note", nil)],
                    after: [
                        .init(
                            table: customers,
                            row: [("id", "1"), ("email", "x@mail.org"), ("note", nil), ("at", "NULL")])
                    ]),
                .init(before: [("id", "2")], after: []),
                .init(
                    before: [("id", "3")],
                    after: [.init(table: customers, row: [("id", "3")]), .init(table: orders, row: [("id", "4")])]),
                .init(before: [("id", "5")], after: [], failure: FailureReport(code: "RH3201", "no luck")),
            ])
        let view = PreviewView(previews: [preview], width: 80, reporter: reporter)

        #expect(
            view.text(.plain) == """
                public.customers → public.customers
                  row 1
                      id     1
                    ~ email  ann@mail.org → x@mail.org
                      note   NULL
                    + at     "NULL"
                    - ssn    12
                  row 2: dropped
                      id  2
                  row 3: 2 rows
                   → public.customers
                      id  3
                   → dw.orders
                    ~ id  3 → 4
                  row 4: failed
                    error[RH3201]: no luck
                      id  5

                """)
        #expect(view.hasFailures)
        #expect(
            view.json.hasPrefix(
                #"[{"pipeline": "shop", "source": "public.customers", "target": "public.customers", "rows": "#
                    + #"[{"before": {"id": "1", "email": "ann@mail.org", "ssn": "12", "note": null}, "after": "#
                    + #"[{"table": "public.customers", "row": {"id": "1", "email": "x@mail.org", "note": null, "at": "NULL"}}], "#
                    + #""error": null}"#))
    }

    @Test(arguments: [80, 40, 20])
    func keepsRowsInTheWindow(width: Int) {
        let long = String(repeating: "一x", count: 100)
        let difference = RowDifference(
            before: [("a", long), (long, "1"), ("gone\n", long)],
            after: [("a", long + "y"), (long, "1"), ("new", long)])
        let lines = difference.text(width: width, .plain).split(separator: "\n")

        #expect(lines.count == 4)
        #expect(lines.allSatisfy { TerminalText.width(of: String($0)) < width })
    }

    private func verified(repaired: Int = 0) -> VerifyReport {
        VerifyReport(
            pipeline: "shop", target: orders, rows: 100, missing: 1, extra: 1, different: 2,
            differences: [
                .init(kind: .missing, key: [("id", "5"), ("at", nil)], columns: []),
                .init(kind: .different, key: [("id", "9"), ("at", "1")], columns: ["email", "name"]),
            ], repaired: repaired, duration: .milliseconds(1234))
    }

    @Test func namesRowsThatDiffer() {
        let equal = VerifyReport(
            pipeline: "shop", target: customers, rows: 7, missing: 0, extra: 0, different: 0, differences: [],
            repaired: 0, duration: .zero)
        let view = VerifyView(reports: [equal, verified()])

        #expect(
            view.text(.plain) == """
                      table       | rows | missing | extra | different
                ------------------+------+---------+-------+-----------
                 public.customers |    7 |       0 |     0 |         0
                 dw.orders        |  100 |       1 |     1 |         2

                dw.orders
                  missing    id=5, at=NULL
                  different  id=9, at=1: email, name
                  ... and 2 more

                2 tables: 4 differences

                """)
        #expect(!view.isSettled)
        #expect(
            VerifyView(reports: [verified()]).json == """
                {"differences": 4, "repaired": 0, "tables": [{"pipeline": "shop", "table": "dw.orders", "rows": 100, \
                "missing": 1, "extra": 1, "different": 2, "repaired": 0, "seconds": 1.234, "differences": \
                [{"kind": "missing", "key": {"id": "5", "at": null}, "columns": []}, {"kind": "different", "key": \
                {"id": "9", "at": "1"}, "columns": ["email", "name"]}]}]}
                """)
        #expect(VerifyView(reports: [equal]).text(.plain).hasSuffix("\n\n1 table: no differences\n"))
        #expect(VerifyView(reports: [equal]).isSettled)
    }

    @Test func saysWhatWasMended() {
        let all = VerifyView(reports: [verified(repaired: 4)])
        let some = VerifyView(reports: [verified(repaired: 3)])

        #expect(all.isSettled)
        #expect(all.text(.plain).hasSuffix("1 table: 4 differences, all mended: 4 rows\n"))
        #expect(!some.isSettled)
        #expect(some.text(.plain).hasSuffix("1 table: 4 differences, 3 rows mended; verify once more\n"))
    }
}
