package import PostgresProtocol

/// What a pipeline file declares, without its functions, which stay in Lua.
package struct PipelineDefinition: Sendable {
    package var name: String
    /// In the order of the file; which one counts for a table is decided by `TablePattern.specificity`.
    package var rules: [TableRule]
    package var snapshot = SnapshotOptions()
    package var throttle = ThrottleOptions()
    package var stream = StreamOptions()
    package var apply = ApplyOptions()
    /// Takes the changes of a target back to the source of another pipeline, which was cut over.
    package var isWayBack = false
    /// Identifies the text of the script in dead letters and in the ledger.
    package var scriptHash: String

    package init(name: String, rules: [TableRule], scriptHash: String) {
        self.name = name
        self.rules = rules
        self.scriptHash = scriptHash
    }
}

/// One line of a pipeline's `tables`.
package struct TableRule: Sendable {
    package enum Action: Sendable {
        case skip
        case copy(TableOptions)
    }

    package var pattern: TablePattern
    package var action: Action

    package init(_ pattern: TablePattern, _ action: Action) {
        self.pattern = pattern
        self.action = action
    }
}

/// How the tables that a rule matches are copied.
package struct TableOptions: Sendable, Equatable {
    /// The target's name, nil for the same one.
    package var target: QualifiedName?
    /// Nil: all columns, under their own names.
    package var columns: [ColumnMapping]?
    /// SQL over the source's columns.
    package var filter: String?
    /// Stands for the key of a table that has none.
    package var key: [String]?
    package var onError = ErrorPolicy.stop
    package var onConflict = ConflictPolicy.error
    /// Types in the target by target column; columns that the source does not have are added.
    package var types: [String: String] = [:]
    /// Makes the target table when it is missing.
    package var creates = true
    /// There is a Lua function for the rows.
    package var hasTransform = false

    package init() {}
}

package struct ColumnMapping: Sendable, Equatable {
    package var source: String
    package var target: String

    package init(source: String, target: String) {
        self.source = source
        self.target = target
    }
}

/// What happens to a row whose transform raises.
package enum ErrorPolicy: String, Sendable, CaseIterable {
    case stop
    case deadLetter = "dead_letter"
    case skip
}

/// What happens to a row whose key the target has already.
package enum ConflictPolicy: String, Sendable, CaseIterable {
    case error
    case upsert
    case skip
}

package struct SnapshotOptions: Sendable, Equatable {
    package enum Mode: String, Sendable, CaseIterable {
        /// Copy what was not copied yet.
        case initial
        /// The same, and nothing after it.
        case only
        case never
    }

    /// Nil: one for each core, at most 8.
    package var workers: Int?
    /// Rows in a chunk, about. Nil: as many as take 256 MB in the source.
    package var chunkRows: Int?
    package var mode = Mode.initial

    package init() {}
}

/// Over all workers; nil is no bound.
package struct ThrottleOptions: Sendable, Equatable {
    package var rowsPerSecond: Double?
    package var bytesPerSecond: Double?

    package init() {}
}

/// How changes are followed after the copy.
package struct StreamOptions: Sendable, Equatable {
    /// What happens when the source's tables change.
    package enum SchemaPolicy: String, Sendable, CaseIterable {
        /// The stream ends before the first change that is affected.
        case stop
        /// Columns are added to the target, and given wider types.
        case apply
        /// New columns are left out.
        case ignore
        /// The script's function says which of them.
        case ask
    }

    package var isOn = true
    package var schemaPolicy = SchemaPolicy.stop
    /// Between two signs of life through the source's log.
    package var heartbeat: Duration = .seconds(15)
    /// Nil is no bound.
    package var walBudget: LogBudget?

    package init() {}
}

/// How changes are written into the target.
package struct ApplyOptions: Sendable, Equatable {
    /// At the most. Nil: 4, and no more than the pool has room for.
    package var connections: Int?
    /// Of the pool: one coordinates, another one looks up what functions ask for.
    static let otherConnections = 2

    package init() {}
}

/// How much log the source may keep for a pipeline.
package struct LogBudget: Sendable, Equatable {
    package enum Action: String, Sendable, CaseIterable {
        /// It is said in the log.
        case warn
        /// The stream ends and its slot is dropped, so that the source does not stand still for want of room.
        case stop
    }

    /// In bytes.
    package var size: Int
    package var action: Action

    package init(size: Int, action: Action = .warn) {
        self.size = size
        self.action = action
    }
}

extension PipelineDefinition {
    /// Changes are followed after the copy.
    package var isStreaming: Bool { stream.isOn && snapshot.mode != .only }

    /// The old source may have been made read-only.
    package var sinkSettings: String { isWayBack ? "; SET default_transaction_read_only = off" : "" }
}
