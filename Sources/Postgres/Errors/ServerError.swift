/// An ErrorResponse or NoticeResponse with all its fields (PostgreSQL documentation, "Error and Notice Message Fields").
package struct ServerError: Error, Sendable, Equatable {
    /// `ERROR`, `FATAL`, `PANIC`, `WARNING`, `NOTICE`, … in English, whatever the server's language.
    package var severity: String
    /// Five characters, `XX000` if the server sent none.
    package var sqlstate: String
    package var message: String
    package var detail: String?
    package var hint: String?
    /// In characters from 1, into `query`.
    package var position: Int?
    /// In characters from 1, into `internalQuery`.
    package var internalPosition: Int?
    package var internalQuery: String?
    package var context: String?
    package var schema: String?
    package var table: String?
    package var column: String?
    package var dataType: String?
    package var constraint: String?
    /// The statement as it was sent or prepared; nil for notices.
    package var query: String?

    package init(severity: String, sqlstate: String, message: String, query: String? = nil) {
        self.severity = severity
        self.sqlstate = sqlstate
        self.message = message
        self.query = query
    }
}

extension ServerError {
    /// Running the same transaction again may succeed.
    package var isRetryable: Bool { Self.isRetryable(sqlstate: sqlstate) }

    /// Serialization failure, deadlock, lock not available, lost or refused connection, server starting or stopping.
    static func isRetryable(sqlstate: String) -> Bool {
        switch sqlstate {
        case "40001", "40P01", "55P03", "57P01", "57P02", "57P03", "53300": true
        default: sqlstate.hasPrefix("08")
        }
    }

    /// The server ends the session after such an error.
    var endsSession: Bool { severity == "FATAL" || severity == "PANIC" }
}

extension ServerError: CustomStringConvertible {
    /// One line: `ERROR: relation "x" does not exist (SQLSTATE 42P01)`.
    package var description: String { "\(severity): \(message) (SQLSTATE \(sqlstate))" }
}
