import PostgresProtocol

/// Writes the rows of one result. Fields are PostgreSQL's text form, nil for NULL; valid during the call.
protocol RowFormatter: AnyObject {
    func add(_ fields: [UnsafeRawBufferPointer?])
    /// No more rows. `command` is the server's tag.
    func end(_ command: String)
}

/// A column of a result that is written.
struct OutputColumn {
    var name: String
    var kind: ValueKind
    /// Its values are JSON.
    var isJSON: Bool

    init(_ name: String, _ type: OID) {
        self.name = name
        kind = ValueKind(type)
        isJSON = type.rawValue == 114 || kind == .jsonb
    }
}

extension ResultFormat {
    func formatter(_ columns: [OutputColumn], _ output: ResultOutput) -> any RowFormatter {
        switch kind {
        case .table: TableFormatter(columns, self, output)
        case .csv: CSVFormatter(columns, output)
        case .tsv: TSVFormatter(columns, output)
        case .json: JSONLineFormatter(columns, output)
        }
    }
}

/// Collects bytes for a sink.
final class ResultOutput {
    private static let size = 1 << 16

    private let sink: any ResultSink
    private var buffer = ByteBuffer(capacity: ResultOutput.size + 4096)
    /// Nobody wants more.
    private(set) var isClosed = false

    init(_ sink: any ResultSink) { self.sink = sink }

    func write(_ text: String) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
    }

    func write(_ bytes: UnsafeRawBufferPointer) {
        buffer.append(bytes)
        if buffer.count >= Self.size { flush() }
    }

    func write(byte: UInt8) { buffer.append(byte) }

    func flush() {
        if !isClosed, !buffer.isEmpty, !sink.write(buffer.bytes) { isClosed = true }
        buffer.removeAll()
    }
}
