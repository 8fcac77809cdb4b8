package import PostgresProtocol

/// What a file has returned.
package struct PipelineSummary: Sendable {
    package var name: String
    /// Where rows come from and go to, as `host:port/database`; nil before they are connected to.
    package var source: String?
    package var target: String?
}

/// How far a pipeline is; to be asked for as often as anybody likes.
package struct PipelineProgress: Sendable {
    package enum Phase: String, Sendable, CaseIterable {
        case connecting
        case preparing
        /// Making tables in the target.
        case creating
        case copying
        case verifying
        /// Indexes, constraints, statistics, sequences.
        case finishing
        /// Following changes.
        case streaming
        /// Another replhost runs the pipeline; this one goes on when that is gone.
        case standby
        /// A server is gone; it is tried again.
        case waiting
        case done
    }

    /// Of changes that are followed.
    package struct Stream: Sendable {
        package var transactions: Int
        package var changes: Int
        /// Bytes of the source's log that are not in the target yet.
        package var lag: Int64
        /// How long a heartbeat took through the source's log and back; nil before the first one.
        package var heartbeat: Duration?
        package var lostHeartbeats: Int
        /// Bytes of log that the source keeps for the slot; nil until it was asked.
        package var retained: Int?
        /// Rows that the target had already, or did not have, where that is let pass.
        package var conflicts: Int
    }

    package struct Table: Sendable {
        package enum State: String, Sendable {
            case waiting
            case copying
            case copied
            /// Copied by an earlier run.
            case kept
        }

        package var source: QualifiedName
        package var target: QualifiedName
        package var state: State
        /// Rows of the source that were read, by earlier runs too.
        package var rows: Int
        /// The planner's estimate; nil if it has none.
        package var estimatedRows: Int?
        package var bytes: Int
        package var chunksDone: Int
        package var chunks: Int
    }

    package var pipeline: String
    package var phase: Phase
    /// What is waited for, for people: "transactions of pids 12, 13 on the source".
    package var note: String?
    package var elapsed: Duration
    package var tables: [Table]
    /// Steps of `.finishing`: done, and all that are known.
    package var stepsDone: Int
    package var steps: Int
    /// Nil before the changes are followed.
    package var stream: Stream?
}

/// What a run has done.
package struct PipelineResult: Sendable {
    package var pipeline: String
    /// There was nothing left to do.
    package var wasComplete: Bool
    package var tables: Int
    package var read: Int
    package var written: Int
    package var dropped: Int
    package var skipped: Int
    package var deadLetters: Int
    package var bytes: Int
    package var duration: Duration
    /// Of the source, that were applied.
    package var transactions = 0
    package var changes = 0
    package var conflicts: [ConflictReport] = []
}

/// What `check` has found.
package struct CheckFinding: Sendable {
    package enum Severity: String, Sendable {
        /// A run would fail, or do harm.
        case error
        case warning
    }

    package var severity: Severity
    package var pipeline: String?
    package var report: FailureReport

    package init(_ severity: Severity, pipeline: String?, _ report: FailureReport) {
        self.severity = severity
        self.pipeline = pipeline
        self.report = report
    }
}

/// What a run would do to the databases.
package struct PlanReport: Sendable {
    package struct Table: Sendable {
        package var source: QualifiedName
        package var target: QualifiedName
        /// "new", "existing", "copied" (nothing left to do).
        package var state: String
        package var estimatedRows: Int?
        /// How the table is cut: "1 chunk", "12 chunks by id".
        package var chunks: String
        /// "binary" or "text".
        package var format: String
        package var hasTransform: Bool
    }

    package var pipeline: String
    package var tables: [Table]
    /// Tables of the source that no rule or a skip leaves out.
    package var skipped: [QualifiedName]
    /// In order; each ends without a semicolon.
    package var sourceSQL: [String]
    package var targetSQL: [String]
    /// What the source has and the target will not, with the reasons.
    package var leftOut: [String]
}

/// Rows before and after.
package struct PreviewReport: Sendable {
    package struct Output: Sendable {
        package var table: QualifiedName
        /// In the target's order; nil is NULL.
        package var row: [(column: String, value: String?)]
    }

    package struct Row: Sendable {
        package var before: [(column: String, value: String?)]
        /// Empty: dropped.
        package var after: [Output]
        package var failure: FailureReport?
    }

    package var pipeline: String
    package var source: QualifiedName
    package var target: QualifiedName
    package var rows: [Row]
}

/// What `verify` has found in one table of the target.
package struct VerifyReport: Sendable {
    package enum Kind: String, Sendable {
        case missing
        case extra
        case different
    }

    package struct Difference: Sendable {
        package var kind: Kind
        /// Key columns with values as text.
        package var key: [(column: String, value: String?)]
        /// Columns that differ.
        package var columns: [String]
    }

    package var pipeline: String
    package var target: QualifiedName
    /// Rows that should be there.
    package var rows: Int
    package var missing: Int
    package var extra: Int
    package var different: Int
    /// The first ones.
    package var differences: [Difference]
    /// Rows mended.
    package var repaired: Int
    package var duration: Duration

    package var isEqual: Bool { missing + extra + different == 0 }
}

/// What the target's ledger says of a pipeline.
package struct StatusReport: Sendable {
    package struct Table: Sendable {
        package var source: String
        package var target: String
        /// "waiting", "copying", "copied", "done".
        package var state: String
        package var rows: Int
        package var estimatedRows: Int?
        package var bytes: Int
        package var chunksDone: Int
        package var chunks: Int
        package var deadLetters: Int
        /// In the ledger's clock, as PostgreSQL prints it.
        package var startedAt: String?
        package var finishedAt: String?
    }

    /// Of changes that are followed.
    package struct Stream: Sendable {
        package var slot: String
        /// Somebody streams from the slot.
        package var isActive: Bool
        /// Everything before it is in the target.
        package var position: String?
        /// Bytes of the source's log that are not in the target yet; nil if the source is out of reach.
        package var lag: Int64?
        /// Bytes of log that the source keeps for the slot.
        package var retained: Int?
        /// On the source, of the last transaction that was applied.
        package var commitTime: String?
        package var transactions: Int
        package var changes: Int
        /// Bytes of log that the source may keep; nil is no bound.
        package var budget: Int?
        /// "warn" or "stop".
        package var budgetAction: String?
        /// Until the budget is used up, at the pace of the moment; nil if the log that is kept does not grow.
        package var timeToFull: Duration?
    }

    package var pipeline: String
    /// "new" (never run), "copying", "finishing", "done", "streaming", "cut over".
    package var state: String
    /// Another process is at work on it now.
    package var isRunning: Bool
    package var startedAt: String?
    package var finishedAt: String?
    package var tables: [Table]
    package var deadLetters: Int
    package var lastError: String?
    package var stream: Stream?
    /// By table of the target, where there are any.
    package var conflicts: [ConflictReport] = []
}

/// Rows of changes that the target had already, or did not have, where `on_conflict` lets that pass.
package struct ConflictReport: Sendable {
    /// Of the target.
    package var table: String
    package var existing: Int
    package var missing: Int
}

/// A row of `replhost.dead_letter`.
package struct DeadLetterReport: Sendable {
    package var id: Int
    package var pipeline: String
    package var table: String
    package var operation: String
    package var key: [(column: String, value: String?)]
    package var row: [(column: String, value: String?)]
    package var code: String
    package var message: String
    package var position: String?
    package var traceback: String
    package var scriptHash: String
    package var createdAt: String
}

package struct RetryReport: Sendable {
    package var delivered: Int
    /// Still fail, and stay.
    package var failed: Int
}

/// Which dead letters are meant; all criteria must fit.
package struct DeadLetterSelection: Sendable {
    package var pipeline: String?
    package var table: String?
    /// Empty: all.
    package var ids: [Int] = []
    package var limit: Int?

    package init() {}
}

/// What a command on pipelines came to.
package enum PipelineOutcome<Value: Sendable>: Sendable {
    case done(Value)
    case interrupted
    /// The first is the cause.
    case failed([FailureReport])
}

/// How a pipeline is to end.
package struct CutOverOptions: Sendable {
    /// The source's database gets read-only, and its sessions are ended.
    package var setsReadOnly = false
    /// Nothing ends unless both sides are equal.
    package var verifies = false
    /// Changes of the target can be taken back to the source from then on.
    package var preparesWayBack = false

    package init() {}
}

/// How a pipeline has ended.
package struct CutOverReport: Sendable {
    package var pipeline: String
    /// False: the sides differ, and the pipeline was left as it was.
    package var isDone: Bool
    /// Of the source's log; everything before it is in the target.
    package var position: String
    /// That were moved in the target.
    package var sequences: Int
    package var hasWayBack: Bool
    package var verifications: [VerifyReport]
    package var duration: Duration
}
