import Testing

@testable import Scripting

@Suite struct ValuesLogTests {
    private func record(_ message: String, _ fields: [(key: String, value: String)] = []) -> LogRecord {
        LogRecord(
            time: TimeValue(.timestamptz, microseconds: 1_700_000_000_123_456), level: "info", message: message,
            label: "script", fields: fields)
    }

    @Test func writesText() {
        let line = record(
            "copied", [(key: "rows", value: "12"), (key: "table", value: "my table"), (key: "empty", value: "")]
        ).text

        #expect(line == "2023-11-14T22:13:20.123Z info copied rows=12 table=\"my table\" empty=\"\"")
    }

    @Test func writesJSON() {
        let line = record("say \"hi\"", [(key: "path", value: "C:\\x")]).json

        let expected =
            #"{"time":"2023-11-14T22:13:20.123Z","level":"info","message":"say \"hi\"","source":"script","path":"C:\\x"}"#
        #expect(line == expected)
    }

    @Test func noValueForgesALine() {
        let line = record("a\nb\u{1B}[2J", [(key: "k", value: "x\ny")])

        #expect(line.text.hasSuffix(#"info a\nb\u001b[2J k="x\ny""#))
        #expect(!line.json.contains("\n"))
    }
}
