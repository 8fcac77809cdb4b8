import Postgres
import PostgresProtocol

/// Columns of many rows as arrays, one parameter for each.
struct RowArrays {
    private let batch: ChangeBatch
    private let format: DataFormat

    init(_ batch: ChangeBatch, _ format: DataFormat) {
        self.batch = batch
        self.format = format
    }

    /// Elements travel in their own type's binary form; else as text in a `text[]`.
    private static func carriesType(_ column: CatalogColumn, _ format: DataFormat) -> Bool {
        format == .binary && column.type.array != nil
    }

    /// The parameter with all values of a column, in SQL.
    static func parameter(_ number: Int, _ column: CatalogColumn, _ format: DataFormat) -> String {
        "$\(number)::" + (carriesType(column, format) ? "\(column.bareTypeName)[]" : "text[]")
    }

    /// An element of it, in the column's type.
    static func value(_ element: String, _ column: CatalogColumn, _ format: DataFormat) -> String {
        carriesType(column, format) ? element : "\(element)::\(column.bareTypeName)"
    }

    /// - Parameters:
    ///   - slices: of the rows or keys; fields begin after `skipping` bytes.
    func parameters(
        _ columns: [CatalogColumn], _ slices: [ArenaSlice], skipping: Int
    ) throws(CodecError) -> [Parameter] {
        var positions = slices.map { Int($0.offset) + skipping }
        var parameters: [Parameter] = []
        for column in columns {
            parameters.append(try array(column, &positions))
        }
        return parameters
    }

    /// Moves all positions on to the next column.
    private func array(_ column: CatalogColumn, _ positions: inout [Int]) throws(CodecError) -> Parameter {
        let isTyped = Self.carriesType(column, format)
        let element = isTyped ? column.type : .text
        var output = ByteBuffer(capacity: 32 + positions.count * 12)
        output.append(bigEndian: Int32(1))
        output.append(bigEndian: Int32(1))
        output.append(bigEndian: element.rawValue)
        output.append(bigEndian: Int32(positions.count))
        output.append(bigEndian: Int32(1))
        let bytes = batch.arena.bytes
        let isVerbatim = isTyped || format == .text || column.kind == .text
        for index in positions.indices {
            let position = positions[index]
            let length = Int(bytes.loadBigEndian(position, as: Int32.self))
            let end = position + 4 + max(length, 0)
            positions[index] = end
            if isVerbatim || length < 0 {
                output.append(UnsafeRawBufferPointer(rebasing: bytes[position..<end]))
                continue
            }
            let mark = CopyBinaryWriter.beginField(in: &output)
            let field = UnsafeRawBufferPointer(rebasing: bytes[(position + 4)..<end])
            try FieldDecoder.appendText(field, column.kind, .binary, to: &output)
            CopyBinaryWriter.endField(mark, in: &output)
        }
        return .binary(element.array ?? .textArray, Array(output.bytes))
    }

    /// One row's fields as parameters.
    func values(_ columns: [CatalogColumn], _ slice: ArenaSlice, skipping: Int, into parameters: inout [Parameter]) {
        var fields = FieldIterator(batch.arena.bytes, from: Int(slice.offset) + skipping)
        for column in columns {
            guard let field = fields.next() else {
                parameters.append(.null)
                continue
            }
            parameters.append(
                format == .binary ? .binary(column.type, Array(field)) : .typed(column.type, Array(field)))
        }
    }
}
