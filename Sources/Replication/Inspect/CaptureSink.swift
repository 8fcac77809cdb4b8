import Postgres
import PostgresProtocol

/// Keeps rows as text, for people to look at.
final class CaptureSink: LaneSink {
    private let target: Connection
    private var rows: [PreviewRun.Output] = []

    /// `target` is asked for tables that functions name.
    init(_ target: Connection) { self.target = target }

    func takeRows() -> [PreviewRun.Output] {
        defer { rows = [] }
        return rows
    }

    func tryTake(_ lane: OutputLane) throws(ReplicationError) -> Bool { false }

    func take(_ lane: OutputLane) async throws(ReplicationError) {
        let names = lane.columns.map(\.name)
        do throws(CopyError) {
            let captured =
                lane.format == .binary
                ? try CapturedRow.rows(ofBinary: lane.buffer.bytes, lane.columns)
                : try CapturedRow.rows(ofText: lane.buffer.bytes, names)
            rows += captured.map { PreviewRun.Output(table: lane.table.name, fields: $0) }
        } catch {
            throw .damaged(error, table: lane.table.name)
        }
        lane.clear()
    }

    func take(_ letter: DeadLetter, of mapping: TableMapping) async throws(ReplicationError) {}

    /// Functions begin without durable values, as in a first run.
    func values(ofStore store: String) async throws(ReplicationError) -> [String: String] { [:] }

    func take(_ changes: [StateChange]) {}

    func table(_ name: QualifiedName) async throws(ReplicationError) -> CatalogTable {
        guard let table = try await CatalogReader(target, .target).tables([name])[name] else {
            throw .unknownTable(name, .target, known: [])
        }
        return table
    }
}

/// Reads COPY data back into texts.
enum CapturedRow {
    static func rows(ofText bytes: UnsafeRawBufferPointer, _ names: [String]) throws(CopyError) -> [PreviewRun.Fields] {
        var rows: [PreviewRun.Fields] = []
        for line in bytes.split(separator: 0x0A) { rows.append(try fields(ofLine: Array(line), names)) }
        return rows
    }

    static func fields(ofLine line: [UInt8], _ names: [String]) throws(CopyError) -> PreviewRun.Fields {
        var values: [String?] = []
        var failure: CopyError?
        line.withUnsafeBytes { bytes in
            var reader = CopyTextReader(bytes)
            withUnsafeTemporaryAllocation(byteCount: bytes.count + 8, alignment: 1) { scratch in
                guard let base = scratch.baseAddress else { return }
                do throws(CopyError) {
                    while values.count < names.count, let length = try reader.next(into: base) {
                        let field = UnsafeRawBufferPointer(start: base, count: max(length, 0))
                        values.append(length < 0 ? nil : String(decoding: field, as: UTF8.self))
                    }
                } catch {
                    failure = error
                }
            }
        }
        if let failure { throw failure }
        return zip(names, values).map { ($0, $1) }
    }

    /// `bytes` are whole rows without the frame.
    static func rows(
        ofBinary bytes: UnsafeRawBufferPointer, _ columns: [CatalogColumn]
    ) throws(CopyError) -> [PreviewRun.Fields] {
        var parser = CopyBinaryParser()
        var framed = ByteBuffer()
        CopyBinaryWriter.appendHeader(to: &framed)
        framed.append(bytes)
        parser.append(framed.bytes)
        var rows: [PreviewRun.Fields] = []
        while let tuple = try parser.next() {
            var fields: PreviewRun.Fields = []
            try tuple.forEachField { index, field in
                fields.append((columns[index].name, field.map { text($0, columns[index].kind) }))
            }
            rows.append(fields)
        }
        return rows
    }

    private static func text(_ field: UnsafeRawBufferPointer, _ kind: ValueKind) -> String {
        var buffer = ByteBuffer()
        do throws(CodecError) { try FieldDecoder.appendText(field, kind, .binary, to: &buffer) } catch {
            return "(\(error))"
        }
        return buffer.string
    }
}
