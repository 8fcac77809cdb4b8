import PostgresProtocol
import Scripting

extension JSONText {
    static func failure(_ report: FailureReport?) -> String { report.map { object(fields($0)) } ?? "null" }

    /// Of an object that says more than the failure.
    static func fields(_ report: FailureReport) -> [(name: String, value: String)] {
        [
            ("code", string(report.code)), ("message", string(report.message)),
            ("sqlstate", string(report.sqlstate)), ("details", string(report.details)), ("hint", string(report.hint)),
            ("file", string(report.place?.file)), ("line", number(report.place?.line)),
        ]
    }
}
