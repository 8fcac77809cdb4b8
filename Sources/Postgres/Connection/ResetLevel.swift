/// How much of a session is undone before the next borrower gets it. Every level ends what runs and rolls back an
/// open transaction.
package enum ResetLevel: Sendable, Equatable {
    /// Nothing more.
    case none
    /// Nothing more: the name says what the caller relies on.
    case rollback
    /// Settings, role, cursors, LISTEN, advisory locks, temporary tables, sequence caches; prepared plans stay.
    /// Skipped for a session that was not dirtied.
    case clean
    /// `DISCARD ALL`, always. Prepared statements are forgotten.
    case discard

    /// What the server is asked to do, nil for nothing.
    var sql: String? {
        switch self {
        case .none, .rollback: nil
        case .clean:
            """
            SET SESSION AUTHORIZATION DEFAULT; RESET ALL; CLOSE ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); \
            DISCARD TEMP; DISCARD SEQUENCES
            """
        case .discard: "DISCARD ALL"
        }
    }
}
