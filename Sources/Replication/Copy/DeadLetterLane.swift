import PostgresProtocol

/// What all parts of a pipeline's run know.
package struct PipelineContext: Sendable {
    package let pipeline: String
    package let scriptHash: String

    package init(pipeline: String, scriptHash: String) {
        self.pipeline = pipeline
        self.scriptHash = scriptHash
    }
}

/// Dead letters on their way into `replhost.dead_letter`.
final class DeadLetterLane {
    let lane: OutputLane
    private let context: PipelineContext
    private var scratch = ByteBuffer()

    private static let columns = [
        "pipeline", "source", "operation", "lsn", "xid", "key", "row", "code", "message", "position", "traceback",
        "script_hash",
    ]

    /// Parameters: the fields.
    static let insertStatement = """
        INSERT INTO replhost.dead_letter (\(columns.joined(separator: ", ")))
        VALUES ($1, $2, $3, $4::pg_lsn, $5::bigint, $6::json, $7::json, $8, $9, $10, $11, $12)
        """

    /// In the order of the columns; nil is NULL.
    /// - Parameter facts: of the change; nil for a row of the copy.
    static func fields(
        _ letter: DeadLetter, of mapping: TableMapping, _ context: PipelineContext, _ facts: ChangeFacts?
    ) -> [String?] {
        let failure = letter.failure
        let fields: [String?] = [
            context.pipeline, mapping.source.name.description, facts?.operation.rawValue ?? "read",
            facts.map(\.lsn.description), facts.map { String($0.xid) }, JSONText.row(failure.key),
            JSONText.row(letter.row), failure.code, failure.message, failure.position, failure.traceback,
            context.scriptHash,
        ]
        return fields.map { $0?.replacing("\0", with: "") }
    }

    init(_ context: PipelineContext) {
        self.context = context
        lane = OutputLane(Self.table, columns: Self.table.columns)
    }

    func append(_ letter: DeadLetter, of mapping: TableMapping) {
        let fields = Self.fields(letter, of: mapping, context, nil)
        for (index, field) in fields.enumerated() {
            if index > 0 { CopyTextWriter.appendSeparator(to: &lane.buffer) }
            scratch.removeAll()
            guard let field else {
                CopyTextWriter.appendField(nil, to: &lane.buffer)
                continue
            }
            scratch.append(field)
            CopyTextWriter.appendField(scratch.bytes, to: &lane.buffer)
        }
        CopyTextWriter.appendRowEnd(to: &lane.buffer)
        lane.rows += 1
    }

    private static let table = CatalogTable(
        name: QualifiedName(schema: "replhost", name: "dead_letter"), oid: .invalid, kind: .plain,
        columns: columns.enumerated().map { index, name in
            CatalogColumn(
                name: name, number: index + 1, type: .invalid, typeName: "", kind: .other, isNotNull: true,
                isGenerated: false, identity: nil, hasDefault: false, isOrdered: false)
        }, key: [], root: nil, pages: 0, rows: -1)
}
