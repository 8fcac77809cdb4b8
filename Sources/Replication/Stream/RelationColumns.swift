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
    static func targets(of column: String, _ mapping: TableMapping) -> [String] {
        guard let list = mapping.options.columns else { return [column] }
        return list.filter { $0.source == column }.map(\.target)
    }

    /// A column of the source goes into the target.
    static func isCopied(_ column: String, _ mapping: TableMapping) -> Bool {
        targets(of: column, mapping).contains { mapping.target.column($0)?.isGenerated == false }
    }

    /// Columns of the source that are to be copied, and that the target does not have.
    var homeless: [RelationMessage.Column] {
        message.columns.filter { column in
            let names = Self.targets(of: column.name, mapping)
            return !names.isEmpty && names.allSatisfy { mapping.target.column($0) == nil }
        }
    }

    /// Target columns that tell the row of an update or delete from others, all of which come with old rows: the target's
    /// key, else the source's identity. Empty if neither comes.
    var key: [String] {
        if let wanted = positions(mapping.key), comesWithOldRows(wanted) { return mapping.key }
        guard message.identity != .full else { return [] }
        let identity = message.columns.indices.filter { message.columns[$0].isKey }
        guard !identity.isEmpty else { return positions(mapping.key) == nil ? [] : mapping.key }
        let names = identity.compactMap { sources.firstIndex(of: $0) }.map { targets[$0] }
        return names.count == identity.count ? names : []
    }

    /// In the message, of columns of the target; nil if one does not come.
    func positions(_ names: [String]) -> [Int]? {
        let found = names.compactMap { targets.firstIndex(of: $0) }.map { sources[$0] }
        return found.count == names.count ? found : nil
    }

    private func comesWithOldRows(_ positions: [Int]) -> Bool {
        !positions.isEmpty && positions.allSatisfy { message.columns[$0].isKey }
    }

    /// Of a column in the stream. A type of the cluster's own is what the catalog says of the column.
    func kind(_ position: Int) -> ValueKind {
        let column = message.columns[position]
        if column.type < .firstUserDefined { return ValueKind(column.type) }
        return mapping.source.column(column.name)?.kind ?? .other
    }

    /// The pipeline's `where` for rows as they come; nil if there is none.
    func filter(_ format: DataFormat) throws(ReplicationError) -> RowFilter? {
        guard let filter = mapping.options.filter else { return nil }
        var columns: [CatalogColumn] = []
        for column in message.columns {
            guard let known = mapping.source.column(column.name) else {
                throw .unknownColumn(column.name, of: message.name, .source, known: mapping.source.columns.map(\.name))
            }
            columns.append(known)
        }
        if format == .binary, !columns.allSatisfy(\.isPortable) { throw .needsText(message.name) }
        return RowFilter(message.name, filter, columns, format)
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
