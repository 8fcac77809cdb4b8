import Testing

@testable import Console
@testable import Scripting

/// What `status`, `dlq`, `drop` and `test` print, for fixed reports.
@Suite struct LedgerViewTests {
    private let letter = DeadLetterReport(
        id: 12, pipeline: "shop", table: "public.customers", operation: "insert", key: [("id", "7")],
        row: [("id", "7"), ("email", "a\nb"), ("note", nil)], code: "RH3201", message: "no luck",
        position: "/nowhere/shop.lua:5", traceback: "stack traceback:\n\tshop.lua:5: in function 'f'",
        scriptHash: "ab12",
        createdAt: "2026-01-31 12:00:00+00")

    @Test func showsHowFarPipelinesAre() {
        let report = StatusReport(
            pipeline: "shop", state: "copying", isRunning: true, startedAt: "2026-01-31 12:00:00+00", finishedAt: nil,
            tables: [
                .init(
                    source: "public.a", target: "public.a", state: "done", rows: 7, estimatedRows: 6, bytes: 2048,
                    chunksDone: 2, chunks: 2, deadLetters: 0, startedAt: nil, finishedAt: nil),
                .init(
                    source: "public.b", target: "dw.b", state: "copying", rows: 5, estimatedRows: 10, bytes: 0,
                    chunksDone: 1, chunks: 2, deadLetters: 1, startedAt: nil, finishedAt: nil),
            ], deadLetters: 1, lastError: "server gone")
        let view = StatusView(reports: [report], path: "shop.lua")

        #expect(
            view.text(.plain) == """
                shop: copying, a process is at work on it, started 2026-01-31 12:00:00+00
                      table      |  state  | rows |   % |    size | chunks | dead letters
                -----------------+---------+------+-----+---------+--------+--------------
                 public.a        | done    |    7 | 100 | 2.00 kB |    2/2 |            0
                 public.b → dw.b | copying |    5 |  50 |     0 B |    1/2 |            1
                1 dead letter: replhost dlq list shop.lua
                last error: server gone

                """)
        #expect(view.json.hasPrefix(#"[{"pipeline": "shop", "state": "copying", "is_running": true, "started_at": "#))
        #expect(view.json.contains(#""estimated_rows": 10, "bytes": 0, "chunks_done": 1, "chunks": 2"#))
    }

    @Test func saysThatAPipelineHasNeverRun() {
        let report = StatusReport(
            pipeline: "shop", state: "new", isRunning: false, startedAt: nil, finishedAt: nil, tables: [],
            deadLetters: 0, lastError: nil)

        #expect(StatusView(reports: [report], path: "a").text(.plain) == "shop: never run\n")
    }

    @Test func listsDeadLettersWithoutValues() {
        let list = DeadLetterList(letters: [letter], showsValues: false)

        #expect(
            list.text(.plain) == """
                 id |      table       | operation |        created         |      error
                ----+------------------+-----------+------------------------+-----------------
                 12 | public.customers | insert    | 2026-01-31 12:00:00+00 | RH3201: no luck
                (1 row)

                """)
        #expect(
            list.json == """
                [{"id": 12, "pipeline": "shop", "table": "public.customers", "operation": "insert", "code": "RH3201", \
                "message": "no luck", "position": "/nowhere/shop.lua:5", "created_at": "2026-01-31 12:00:00+00"}]
                """)
        #expect(DeadLetterList(letters: [letter], showsValues: true).text(.plain).contains("| id=7\n"))
        #expect(DeadLetterList(letters: [letter], showsValues: true).json.hasSuffix(#""key": {"id": "7"}}]"#))
        #expect(DeadLetterList(letters: [], showsValues: false).text(.plain) == "There are no dead letters.\n")
    }

    @Test func showsADeadLetterWhole() {
        let view = DeadLetterView(letter: letter, reporter: FailureReporter(palette: .plain))

        #expect(
            view.text(.plain) == #"""
                dead letter 12
                  pipeline   shop
                  table      public.customers
                  operation  insert
                  key        id=7
                  created    2026-01-31 12:00:00+00
                  script     ab12
                row
                      id     7
                      email  a\nb
                      note   NULL
                error[RH3201]: no luck
                  --> /nowhere/shop.lua:5
                  stack traceback:
                      shop.lua:5: in function 'f'

                """#)
        #expect(view.json.contains(##""row": {"id": "7", "email": "a\nb", "note": null}"##))
    }

    @Test func countsDeadLetters() {
        #expect(RetryView(report: .init(delivered: 2, failed: 0)).text(.plain) == "2 dead letters delivered\n")
        #expect(
            RetryView(report: .init(delivered: 1, failed: 3)).text(.plain)
                == "1 dead letter delivered, 3 failed again and stay\n")
        #expect(RetryView(report: .init(delivered: 1, failed: 3)).json == #"{"delivered": 1, "failed": 3}"#)
        #expect(PurgeView(count: 2).text(.plain) == "2 dead letters deleted\n")
        #expect(PurgeView(count: 2).json == #"{"deleted": 2}"#)
    }

    @Test func saysWhatWasRemoved() {
        #expect(DropView(removed: ["state of \"shop\""]).text(.plain) == "removed state of \"shop\"\n")
        #expect(DropView(removed: []).text(.plain) == "There is nothing to remove.\n")
        #expect(DropView(removed: ["a"]).json == #"{"removed": ["a"]}"#)
    }

    @Test func countsTests() {
        var summary = TestSummary()
        #expect(summary.isEmpty && !summary.hasFailures)
        summary.files = [
            .init(path: "a_test.lua", cases: [.init(name: "x", ending: .passed)]),
            .init(path: "b_test.lua", failures: [FailureReport("no")]),
        ]

        #expect(summary.text(.plain) == "1 passed, 0 failed, 1 file not loaded\n")
        #expect(summary.hasFailures)
        #expect(
            summary.json == """
                {"passed": 1, "failed": 0, "files": [{"path": "a_test.lua", "error": null, "cases": [{"name": "x", \
                "ok": true, "error": null}]}, {"path": "b_test.lua", "error": {"code": null, "message": "no", \
                "sqlstate": null, "details": null, "hint": null, "file": null, "line": null}, "cases": []}]}
                """)
    }
}
