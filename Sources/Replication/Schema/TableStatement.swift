import PostgresProtocol

/// One table to make: with its checks, defaults and own sequences, all in one text.
///
/// Columns are made under the source's names, so that the server's own texts fit, and renamed at the end.
struct TableStatement {
    let table: SourceTable
    let target: QualifiedName
    let columns: ColumnPlan
    let checks: [SourceConstraint]
    /// Owned by the table's columns, by column number, with their names in the target.
    let sequences: [(sequence: SourceSequence, name: QualifiedName, exists: Bool)]
    /// Names of all sequences in deparsed texts and in the target.
    let renamedSequences: [(constant: String, name: QualifiedName)]
    /// Of the parents that it inherits from in the target, too.
    let parents: [QualifiedName]
    /// The partitioned table that it is to be attached to.
    let parent: QualifiedName?
    let keepsPartitioning: Bool
    let targetVersion: Int

    private var isInheriting: Bool { !parents.isEmpty }

    func sql() -> String {
        var statements = serials.filter { !$0.exists }.map { Self.create($0.sequence, $0.name, targetVersion) }
        statements.append(create)
        statements += columns.kept.flatMap(settings)
        statements += renames
        if columns.hasRenames {
            statements += columns.added.map { "\(alter) ADD COLUMN \(SQLText.quoteIdentifier($0.name)) \($0.type)" }
        }
        if ["f", "n"].contains(table.replicaIdentity), ["r", "p"].contains(table.kind) {
            statements.append("\(alter) REPLICA IDENTITY \(table.replicaIdentity == "f" ? "FULL" : "NOTHING")")
        }
        statements += serials.compactMap(ownership)
        if let parent, let bound = table.bound {
            statements.append("ALTER TABLE ONLY \(parent.sql) ATTACH PARTITION \(target.sql) \(bound)")
        }
        return statements.joined(separator: ";\n")
    }

    private var alter: String { "ALTER TABLE ONLY \(target.sql)" }

    private var serials: [(sequence: SourceSequence, name: QualifiedName, exists: Bool)] {
        sequences.filter { !$0.sequence.isIdentity }
    }

    private var create: String {
        var elements = columns.kept.filter { $0.column.isLocal || !isInheriting }.map(definition)
        if !columns.hasRenames {
            elements += columns.added.map { "\(SQLText.quoteIdentifier($0.name)) \($0.type)" }
        }
        elements += keptChecks.map { "CONSTRAINT \(SQLText.quoteIdentifier($0.name)) \($0.definition)" }
        let body = elements.isEmpty ? "()" : "(\n    " + elements.joined(separator: ",\n    ") + "\n)"
        // Partitioned tables have been neither since 18.
        let isUnlogged = table.isUnlogged && !(keepsPartitioning && targetVersion >= 180_000)
        var sql = "CREATE \(isUnlogged ? "UNLOGGED " : "")TABLE \(target.sql) \(body)"
        if isInheriting { sql += "\nINHERITS (\(parents.map(\.sql).joined(separator: ", ")))" }
        if keepsPartitioning, let key = table.partitionKey { sql += "\nPARTITION BY \(key)" }
        if table.accessMethod != "heap" { sql += "\nUSING \(SQLText.quoteIdentifier(table.accessMethod))" }
        if !table.options.isEmpty { sql += "\nWITH (\(Self.options(table.options)))" }
        return sql
    }

    /// Those that are not valid come after the rows, which may not pass them.
    private var keptChecks: [SourceConstraint] {
        checks.filter { check in
            check.isValid && (check.isLocal || !isInheriting)
                && columns.obstacle(check.columns, mayBeRenamed: true) == nil
        }
    }

    // MARK: - Columns

    private func definition(_ kept: ColumnPlan.Kept) -> String {
        let column = kept.column
        var sql = "\(column.quoted) \(kept.type ?? column.type)"
        if let collation = column.collation, !kept.isForeign { sql += " COLLATE \(collation)" }
        if let value = value(of: kept) { sql += " " + value }
        if column.isNotNull { sql += " NOT NULL" }
        return sql
    }

    private func value(of kept: ColumnPlan.Kept) -> String? {
        let column = kept.column
        if column.identity != "" { return kept.isForeign ? nil : identity(column, type: kept.type) }
        guard columns.keepsValue(of: kept), let expression = column.expression else { return nil }
        switch column.generation {
        case .stored: return "GENERATED ALWAYS AS (\(expression)) STORED"
        case .virtual: return "GENERATED ALWAYS AS (\(expression)) \(targetVersion >= 180_000 ? "VIRTUAL" : "STORED")"
        case nil: return "DEFAULT \(renamingSequences(expression))"
        }
    }

    private static let integers: Set = ["smallint", "integer", "bigint", "int2", "int4", "int8", "int"]

    /// A partition takes it from its table.
    private func identity(_ column: SourceColumn, type: String?) -> String? {
        guard parent == nil, type.map(Self.integers.contains) ?? true else { return nil }
        var options = ""
        if let (sequence, name, _) = sequences.first(where: {
            $0.sequence.isIdentity && $0.sequence.ownerColumn == column.number
        }) {
            options = " (SEQUENCE NAME \(name.sql) \(sequence.parameters))"
        }
        return "GENERATED \(column.identity == "a" ? "ALWAYS" : "BY DEFAULT") AS IDENTITY\(options)"
    }

    private func renamingSequences(_ expression: String) -> String {
        var text = expression
        for (constant, name) in renamedSequences {
            text = text.replacing(constant, with: SQLText.quoteLiteral(name.sql) + "::regclass")
        }
        return text
    }

    /// What a column definition cannot say.
    private func settings(_ kept: ColumnPlan.Kept) -> [String] {
        let column = kept.column
        let alter = "\(alter) ALTER COLUMN \(column.quoted)"
        var statements: [String] = []
        if isInheriting, !column.isLocal {
            if let expression = column.expression, !column.isGenerated {
                statements.append("\(alter) SET DEFAULT \(renamingSequences(expression))")
            }
            if column.isNotNull { statements.append("\(alter) SET NOT NULL") }
        }
        if let storage = column.storage, kept.type == nil {
            statements.append("\(alter) SET STORAGE \(Self.storage(storage))")
        }
        if let compression = column.compression, !kept.isForeign {
            statements.append("\(alter) SET COMPRESSION \(compression)")
        }
        if column.statisticsTarget >= 0 { statements.append("\(alter) SET STATISTICS \(column.statisticsTarget)") }
        if !column.options.isEmpty { statements.append("\(alter) SET (\(Self.options(column.options)))") }
        return statements
    }

    private static func storage(_ code: String) -> String {
        switch code {
        case "p": "PLAIN"
        case "e": "EXTERNAL"
        case "m": "MAIN"
        default: "EXTENDED"
        }
    }

    /// By way of names that nothing has when names are exchanged.
    private var renames: [String] {
        let renamed = columns.kept.filter(\.isRenamed)
        let sources = Set(columns.kept.map(\.column.name))
        guard renamed.contains(where: { sources.contains($0.name) }) else {
            return renamed.map { rename($0.column.name, $0.name) }
        }
        let between = renamed.map { "replhost column \($0.column.number)" }
        return zip(renamed, between).map { rename($0.column.name, $1) }
            + zip(between, renamed).map { rename($0, $1.name) }
    }

    private func rename(_ old: String, _ new: String) -> String {
        "ALTER TABLE \(target.sql) RENAME COLUMN \(SQLText.quoteIdentifier(old)) TO \(SQLText.quoteIdentifier(new))"
    }

    // MARK: - Sequences and options

    static func create(_ sequence: SourceSequence, _ name: QualifiedName, _ targetVersion: Int) -> String {
        let unlogged = sequence.isUnlogged && targetVersion >= 150_000 ? "UNLOGGED " : ""
        return "CREATE \(unlogged)SEQUENCE \(name.sql) AS \(sequence.type) \(sequence.parameters)"
    }

    private func ownership(_ serial: (sequence: SourceSequence, name: QualifiedName, exists: Bool)) -> String? {
        guard let column = columns[serial.sequence.ownerColumn] else { return nil }
        return "ALTER SEQUENCE \(serial.name.sql) OWNED BY \(target.sql).\(SQLText.quoteIdentifier(column.name))"
    }

    /// `name=value`, with every value in quotes, which all options take.
    static func options(_ options: [String]) -> String {
        options.map { option in
            let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let name = parts[0].split(separator: ".").map { SQLText.quoteIdentifier(String($0)) }
            return name.joined(separator: ".") + "=" + SQLText.quoteLiteral(parts.count > 1 ? parts[1] : "")
        }
        .joined(separator: ", ")
    }
}

extension ColumnPlan {
    /// A default or generated value fits the column in the target.
    func keepsValue(of kept: Kept) -> Bool {
        !kept.isForeign && (!kept.column.isGenerated || obstacle(kept.column.mentioned, mayBeRenamed: true) == nil)
    }
}
