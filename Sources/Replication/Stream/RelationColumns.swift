import PostgresProtocol

/// Which columns of a Relation message go where.
struct RelationColumns {
    private(set) var sources: [Int] = []
    private(set) var targets: [String] = []
    private let message: RelationMessage
    private let mapping: TableMapping

    init(_ message: RelationMessage, _ mapping: TableMapping) {
        self.message = message
        self.mapping = mapping
        for (position, column) in message.columns.enumerated() {
            for name in Self.targets(of: column.name, mapping) {
                guard let target = mapping.target.column(name), !target.isGenerated else { continue }
                sources.append(position)
                targets.append(name)
            }
        }
    }

    /// Names in the target for a column of the source; none if it is not copied.
    private static func targets(of column: String, _ mapping: TableMapping) -> [String] {
        guard let list = mapping.options.columns else { return [column] }
        return list.filter { $0.source == column }.map(\.target)
    }

    /// Columns of the source that are to be copied, and that the target does not have.
    var homeless: [RelationMessage.Column] {
        message.columns.filter { column in
            let names = Self.targets(of: column.name, mapping)
            return !names.isEmpty && names.allSatisfy { mapping.target.column($0) == nil }
        }
    }

    /// Positions in the message of key columns of the target.
    func key(_ names: [String]) throws(ReplicationError) -> [Int] {
        var positions: [Int] = []
        for name in names {
            guard let index = targets.firstIndex(of: name) else {
                throw .mismatch(
                    code: "RH3608",
                    "key column \"\(name)\" of \(mapping.target.name) does not come with the changes of \(message.name)",
                    hint: "Copy the column, or name another key with \"key\".")
            }
            positions.append(sources[index])
        }
        return positions
    }

    /// Of a column in the stream. A type of the cluster's own is what the catalog says of the column.
    func kind(_ position: Int) -> ValueKind {
        let column = message.columns[position]
        if column.type < .firstUserDefined { return ValueKind(column.type) }
        return mapping.source.column(column.name)?.kind ?? .other
    }

    /// Binary values are only for columns that both sides know by the same bytes.
    func checkFormat(_ format: DataFormat) throws(ReplicationError) {
        guard format == .binary else { return }
        for (source, target) in zip(sources, targets) {
            let kind = kind(source)
            guard kind.hasPortableBinary,
                mapping.options.hasTransform || mapping.target.column(target)?.kind == kind
            else { throw .needsText(message.name) }
        }
    }
}

extension ReplicationError {
    private static let needsTextCode = "RH3610"

    /// The stream has to be begun anew with values in text form.
    static func needsText(_ table: QualifiedName) -> ReplicationError {
        .mismatch(code: needsTextCode, "\(table) has columns that cannot be streamed in binary form", hint: nil)
    }

    var isAboutFormat: Bool {
        if case .mismatch(Self.needsTextCode, _, _) = self { true } else { false }
    }
}
