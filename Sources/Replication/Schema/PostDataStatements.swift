import PostgresProtocol

/// Why an object is not made, as the end of a sentence.
struct LeftOut: Error {
    let reason: String
}

/// Texts for what belongs to one table, over the columns that it has in the target.
struct PostDataStatements {
    let table: SourceTable
    let target: QualifiedName
    let columns: ColumnPlan

    private static let unreadable = LeftOut(reason: "its definition cannot be read with renamed columns")

    // MARK: - Indexes

    /// CREATE INDEX.
    func index(_ index: SourceIndex, name: String) throws(LeftOut) -> String {
        if let reason = columns.obstacle(index.mentioned, mayBeRenamed: false) { throw LeftOut(reason: reason) }
        let unique = index.isUnique ? "UNIQUE " : ""
        let definition = try renamed(index.definition, index, isConstraint: false)
        return "CREATE \(unique)INDEX \(SQLText.quoteIdentifier(name)) ON \(target.sql) USING \(definition)"
    }

    /// ADD CONSTRAINT, which makes the index.
    func constraint(_ constraint: String, _ index: SourceIndex, name: String) throws(LeftOut) -> String {
        if let reason = columns.obstacle(index.mentioned, mayBeRenamed: false) { throw LeftOut(reason: reason) }
        let definition = try renamed(constraint, index, isConstraint: true)
        return "ALTER TABLE \(target.sql) ADD CONSTRAINT \(SQLText.quoteIdentifier(name)) \(definition)"
    }

    /// ADD CONSTRAINT for an index that is there.
    func adoption(_ adoption: SourceIndex.Adoption, name: String) -> String {
        let name = SQLText.quoteIdentifier(name)
        let constraint = "\(adoption.kind) USING INDEX \(name)\(adoption.deferral)"
        return "ALTER TABLE \(target.sql) ADD CONSTRAINT \(name) \(constraint)"
    }

    /// The definition with the target's columns in both of its lists.
    private func renamed(
        _ definition: String, _ index: SourceIndex, isConstraint: Bool
    ) throws(LeftOut) -> String {
        guard !columns.isIdentity || (isConstraint && !index.options.isEmpty) else { return definition }
        let text = DeparsedText(definition)
        guard let keys = text.list(), keys.elements.count == index.keyCount else { throw Self.unreadable }
        var elements: [String] = []
        for (number, element) in zip(index.columns, keys.elements) {
            elements.append(try renamed(element, number, index))
        }
        var sql = text.text(0..<keys.open + 1) + elements.joined(separator: ", ") + ")"
        var rest = keys.close + 1
        let included = index.columns.dropFirst(index.keyCount)
        if !included.isEmpty {
            guard let list = text.list(from: rest) else { throw Self.unreadable }
            var names: [String] = []
            for number in included { names.append(try columnName(number)) }
            sql += " INCLUDE (" + names.joined(separator: ", ") + ")"
            rest = list.close + 1
        }
        if isConstraint, !index.options.isEmpty { sql += " WITH (\(TableStatement.options(index.options)))" }
        return sql + text.text(rest..<text.bytes.count)
    }

    private func renamed(_ element: String, _ number: Int, _ index: SourceIndex) throws(LeftOut) -> String {
        guard number != 0 else { return element }
        let name = try columnName(number)
        guard let kept = columns[number], element.hasPrefix(kept.column.quoted) else { throw Self.unreadable }
        let options = String(element.dropFirst(kept.column.quoted.count))
        let plain: Set = ["", " DESC", " NULLS FIRST", " DESC NULLS LAST"]
        guard !kept.isForeign || (plain.contains(options) && (index.isPrimary || index.definition.hasPrefix("btree ")))
        else {
            throw LeftOut(reason: columns.obstacle([number], mayBeRenamed: true) ?? "")
        }
        return name + options
    }

    private func columnName(_ number: Int) throws(LeftOut) -> String {
        guard let kept = columns[number] else {
            throw LeftOut(
                reason: columns.obstacle([number], mayBeRenamed: true) ?? "it uses a column that is not copied")
        }
        return SQLText.quoteIdentifier(kept.name)
    }

    // MARK: - Constraints

    /// A CHECK that its rows need not pass.
    func unvalidatedCheck(_ check: SourceConstraint) throws(LeftOut) -> String {
        if let reason = columns.obstacle(check.columns, mayBeRenamed: false) { throw LeftOut(reason: reason) }
        return "ALTER TABLE \(target.sql) ADD CONSTRAINT \(SQLText.quoteIdentifier(check.name)) \(check.definition)"
    }

    /// Without a check of the rows where the table allows it. `referenced`: the target's table and columns.
    func foreignKey(
        _ key: SourceConstraint, referenced: QualifiedName, referencedColumns: [String], partitioned: Bool
    ) throws(LeftOut) -> String {
        if let reason = columns.obstacle(key.columns, mayBeRenamed: true) { throw LeftOut(reason: reason) }
        let text = DeparsedText(key.definition)
        guard let own = text.list(), let theirs = text.list(from: own.close + 1) else { throw Self.unreadable }
        let names = try columnNames(key.columns)
        let mine = Self.withPeriod(own.elements, names)
        let other = Self.withPeriod(theirs.elements, referencedColumns.map(SQLText.quoteIdentifier))
        var rest = text.text(theirs.close + 1..<text.bytes.count)
        if !key.setColumns.isEmpty {
            let tail = DeparsedText(rest)
            guard let list = tail.list() else { throw Self.unreadable }
            let set = try columnNames(key.setColumns).joined(separator: ", ")
            rest = tail.text(0..<list.open) + "(" + set + tail.text(list.close..<tail.bytes.count)
        }
        if rest.hasSuffix(" NOT VALID") { rest.removeLast(" NOT VALID".count) }
        let isEnforced = !rest.hasSuffix(" NOT ENFORCED")
        // In one order for all, so that steps at the same time do not wait for each other in a circle.
        let tables = Set([target, referenced]).sorted().map { "ONLY " + $0.sql }
        let lock = "LOCK TABLE \(tables.joined(separator: ", ")) IN SHARE ROW EXCLUSIVE MODE;\n"
        return lock + "ALTER TABLE \(target.sql) ADD CONSTRAINT \(SQLText.quoteIdentifier(key.name)) FOREIGN KEY "
            + "(\(mine)) REFERENCES \(referenced.sql)(\(other))\(rest)"
            + (partitioned || !isEnforced ? "" : " NOT VALID")
    }

    private func columnNames(_ numbers: [Int]) throws(LeftOut) -> [String] {
        var names: [String] = []
        for number in numbers { names.append(try columnName(number)) }
        return names
    }

    private static func withPeriod(_ elements: [String], _ names: [String]) -> String {
        zip(elements, names).map { $0.hasPrefix("PERIOD ") ? "PERIOD " + $1 : $1 }.joined(separator: ", ")
    }

    // MARK: - Statistics and triggers

    func statistics(_ statistics: SourceStatistics, name: QualifiedName) throws(LeftOut) -> String {
        if let reason = columns.obstacle(statistics.mentioned, mayBeRenamed: false) { throw LeftOut(reason: reason) }
        if let reason = columns.obstacle(statistics.columns, mayBeRenamed: true) { throw LeftOut(reason: reason) }
        let elements = try columnNames(statistics.columns) + statistics.expressions.map { "(\($0))" }
        let known = ["d": "ndistinct", "f": "dependencies", "m": "mcv"]
        let kinds = statistics.kinds.compactMap { known[$0] }
        // A single expression has statistics of its own kind, which has no name.
        let list = kinds.isEmpty || elements.count < 2 ? "" : " (\(kinds.joined(separator: ", ")))"
        let create = "CREATE STATISTICS \(name.sql)\(list) ON \(elements.joined(separator: ", ")) FROM \(target.sql)"
        guard statistics.target >= 0 else { return create }
        return create + ";\nALTER STATISTICS \(name.sql) SET STATISTICS \(statistics.target)"
    }

    func trigger(_ trigger: SourceTrigger) throws(LeftOut) -> String {
        if let reason = columns.obstacle(trigger.mentioned, mayBeRenamed: false) { throw LeftOut(reason: reason) }
        let text = DeparsedText(trigger.definition)
        let unreadable = LeftOut(reason: "its definition cannot be read")
        guard let on = text.find(" ON ") else { throw unreadable }
        let rest = text.text(on + 4..<text.bytes.count)
        guard rest.hasPrefix(table.quoted) else { throw unreadable }
        var head = text.text(0..<on)
        if !trigger.columns.isEmpty {
            let old = trigger.columns.compactMap { columns[$0]?.column.quoted }.joined(separator: ", ")
            let new = try columnNames(trigger.columns).joined(separator: ", ")
            guard let range = head.firstRange(of: "UPDATE OF " + old) else { throw unreadable }
            head.replaceSubrange(range, with: "UPDATE OF " + new)
        }
        let create = "\(head) ON \(target.sql)\(rest.dropFirst(table.quoted.count))"
        guard let state = Self.states[trigger.enabled] else { return create }
        return create + ";\nALTER TABLE \(target.sql) \(state) TRIGGER \(SQLText.quoteIdentifier(trigger.name))"
    }

    private static let states = ["D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"]
}
