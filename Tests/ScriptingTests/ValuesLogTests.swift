import Logging
import PostgresProtocol
import Testing

@testable import Scripting

@Suite struct ValuesLogTests {
    private func record(
        _ message: String, _ fields: [(key: String, value: String)] = [], label: String = "script",
        level: Logger.Level = .info
    ) -> LogRecord {
        LogRecord(
            time: TimeValue(.timestamptz, microseconds: 1_700_000_000_123_456), level: level, message: message,
            label: label, fields: fields)
    }

    @Test func writesText() {
        let line = record(
            "copied", [(key: "rows", value: "12"), (key: "table", value: "my table"), (key: "empty", value: "")]
        ).text

        #expect(line == "2023-11-14T22:13:20.123Z info copied rows=12 table=\"my table\" empty=\"\"")
    }

    @Test func writesJSONWithTheNamesOfOpenTelemetry() {
        let line = record("say \"hi\"", [(key: "path", value: "C:\\x")]).json

        let expected =
            #"{"timestamp":"2023-11-14T22:13:20.123Z","severity_text":"INFO","severity_number":9,"body":"say \"hi\"","#
            + #""scope":{"name":"script"},"attributes":{"path":"C:\\x"}}"#
        #expect(line == expected)
    }

    @Test func attributesOfTheHostHaveItsName() {
        let line = record("copying", [(key: "rows", value: "12")], label: "progress", level: .warning).json

        #expect(line.contains(#""severity_text":"WARN","severity_number":13"#))
        #expect(line.hasSuffix(#""scope":{"name":"progress"},"attributes":{"replhost.rows":"12"}}"#))
    }

    @Test func noValueForgesALine() {
        let line = record("a\nb\u{1B}[2J", [(key: "k", value: "x\ny")])

        #expect(line.text.hasSuffix(#"info a\nb\u001b[2J k="x\ny""#))
        #expect(!line.json.contains("\n"))
    }
}
