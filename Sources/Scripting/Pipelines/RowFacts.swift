import LuaRuntime
import PostgresProtocol

/// Which row it is, and what is in it, for people: from its bytes, whatever was assigned.
final class RowFacts {
    typealias Value = (column: String, value: String?)

    private let shape: RowShape
    private let sources: [String]
    /// Positions of the key columns in the shape.
    private let key: [Int]
    private var layout = ByteBuffer()
    private var text = ByteBuffer()

    /// `sources` are the columns' names in the source, `key` those of key columns in the target.
    init(_ shape: RowShape, sources: [String], key: [String]) {
        self.shape = shape
        self.sources = sources
        self.key = key.compactMap { name in
            shape.columns.prefix(shape.fieldCount).firstIndex { $0.name == name }
        }
    }

    /// The key columns under their source names.
    func key(of fields: UnsafeRawPointer) -> [Value] { key.map { value($0, of: fields) } }

    /// All columns under their source names.
    func values(of fields: UnsafeRawPointer) -> [Value] { sources.indices.map { value($0, of: fields) } }

    /// Calls `body` with a message of COPY in row layout; nil if it is damaged.
    @discardableResult
    func withRow<Value>(
        _ message: UnsafeRawBufferPointer, isFramed: Bool, _ body: (UnsafeRawPointer) -> Value
    ) -> Value? {
        layout.removeAll(keepingAtMost: 1 << 16)
        let count = shape.fieldCount
        do throws(CopyError) {
            if isFramed {
                let tuple = try CopyBinaryTuple(message)
                let row = layout.space(for: try RowLayout.size(ofBinaryTuple: tuple, columns: count))
                try RowLayout.fill(row, fromBinaryTuple: tuple)
                return body(row)
            }
            let row = layout.space(for: RowLayout.size(ofTextLine: message, columns: count))
            _ = try RowLayout.fill(row, fromTextLine: message, columns: count)
            return body(row)
        } catch {
            return nil
        }
    }

    /// `timestamptz` in text, from microseconds since 2000.
    static func text(ofTimestamp microseconds: Int64) -> String {
        var text = ByteBuffer()
        withUnsafeBytes(of: microseconds.bigEndian) { field in
            try? FieldDecoder.appendText(field, .timestamptz, .binary, to: &text)
        }
        return text.string
    }

    /// Pushes a table of the key columns under their target names.
    func pushKey(of fields: UnsafeRawPointer, _ rows: RowLibrary, to stack: LuaStack) throws(CodecError) {
        stack.pushTable(fieldCount: key.count)
        for index in key {
            let column = shape.columns[index]
            try rows.reader.push(RowLayout.field(index, of: fields), column.kind, column.format, to: stack)
            stack.setField(column.name, of: -2)
        }
    }

    private func value(_ index: Int, of fields: UnsafeRawPointer) -> Value {
        guard let field = RowLayout.field(index, of: fields) else { return (sources[index], nil) }
        let column = shape.columns[index]
        text.removeAll(keepingAtMost: 1 << 16)
        do throws(CodecError) {
            try FieldDecoder.appendText(field, column.kind, column.format, to: &text)
        } catch {
            return (sources[index], String(decoding: field, as: UTF8.self))
        }
        return (sources[index], text.string)
    }
}
