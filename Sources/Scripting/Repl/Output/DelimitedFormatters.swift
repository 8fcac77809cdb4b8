import PostgresProtocol

/// Comma-separated values as `COPY … (FORMAT csv, HEADER)` writes them.
final class CSVFormatter: RowFormatter {
    private let output: ResultOutput

    init(_ columns: [OutputColumn], _ output: ResultOutput) {
        self.output = output
        guard !columns.isEmpty else { return }
        for (index, column) in columns.enumerated() {
            if index > 0 { output.write(byte: UInt8(ascii: ",")) }
            var name = column.name
            name.withUTF8 { write(UnsafeRawBufferPointer($0), isAlone: columns.count == 1) }
        }
        output.write(byte: 0x0A)
    }

    func add(_ fields: [UnsafeRawBufferPointer?]) {
        for (index, field) in fields.enumerated() {
            if index > 0 { output.write(byte: UInt8(ascii: ",")) }
            if let field { write(field, isAlone: fields.count == 1) }
        }
        output.write(byte: 0x0A)
    }

    func end(_ command: String) {}

    /// A line that is `\.` alone would end the data for some readers.
    private func write(_ field: UnsafeRawBufferPointer, isAlone: Bool) {
        let endsData = isAlone && field.elementsEqual([UInt8(ascii: "\\"), UInt8(ascii: ".")])
        guard field.isEmpty || endsData || field.contains(where: Self.needsQuotes) else { return output.write(field) }
        output.write(byte: Self.quote)
        for byte in field {
            if byte == Self.quote { output.write(byte: Self.quote) }
            output.write(byte: byte)
        }
        output.write(byte: Self.quote)
    }

    private static let quote = UInt8(ascii: "\"")

    private static func needsQuotes(_ byte: UInt8) -> Bool {
        byte == quote || byte == UInt8(ascii: ",") || byte == 0x0A || byte == 0x0D
    }
}

/// Tab-separated values with COPY's escapes, below a line of names.
final class TSVFormatter: RowFormatter {
    private let output: ResultOutput

    init(_ columns: [OutputColumn], _ output: ResultOutput) {
        self.output = output
        guard !columns.isEmpty else { return }
        for (index, column) in columns.enumerated() {
            if index > 0 { output.write(byte: 0x09) }
            var name = column.name
            name.withUTF8 { write(UnsafeRawBufferPointer($0)) }
        }
        output.write(byte: 0x0A)
    }

    func add(_ fields: [UnsafeRawBufferPointer?]) {
        for (index, field) in fields.enumerated() {
            if index > 0 { output.write(byte: 0x09) }
            if let field { write(field) } else { output.write("\\N") }
        }
        output.write(byte: 0x0A)
    }

    func end(_ command: String) {}

    private func write(_ field: UnsafeRawBufferPointer) {
        guard field.contains(where: { Self.escape($0) != nil }) else { return output.write(field) }
        for byte in field {
            if let letter = Self.escape(byte) {
                output.write(byte: UInt8(ascii: "\\"))
                output.write(byte: letter)
            } else {
                output.write(byte: byte)
            }
        }
    }

    private static func escape(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x09: UInt8(ascii: "t")
        case 0x0A: UInt8(ascii: "n")
        case 0x0D: UInt8(ascii: "r")
        case UInt8(ascii: "\\"): byte
        default: nil
        }
    }
}

/// An object in each line: numbers, booleans and JSON as what they are, all else as text.
final class JSONLineFormatter: RowFormatter {
    private let output: ResultOutput
    private let names: [String]
    private let columns: [OutputColumn]

    init(_ columns: [OutputColumn], _ output: ResultOutput) {
        self.output = output
        names = columns.map { JSONText.string($0.name) + ": " }
        self.columns = columns
    }

    func add(_ fields: [UnsafeRawBufferPointer?]) {
        output.write(byte: UInt8(ascii: "{"))
        for (index, field) in fields.enumerated() {
            if index > 0 { output.write(", ") }
            output.write(names[index])
            if let field { write(field, columns[index]) } else { output.write("null") }
        }
        output.write("}\n")
    }

    func end(_ command: String) {}

    private func write(_ field: UnsafeRawBufferPointer, _ column: OutputColumn) {
        if column.isJSON { return writeJSON(field) }
        switch column.kind {
        case .int16, .int32, .int64, .oid: output.write(field)
        case .float4 where Self.isNumber(field), .float8 where Self.isNumber(field),
            .numeric where Self.isNumber(field):
            output.write(field)
        case .boolean: output.write(field.first == UInt8(ascii: "t") ? "true" : "false")
        default: output.write(JSONText.string(String(decoding: field, as: UTF8.self)))
        }
    }

    /// Line breaks in it are between its parts only.
    private func writeJSON(_ field: UnsafeRawBufferPointer) {
        for byte in field { output.write(byte: byte < 0x20 ? 0x20 : byte) }
    }

    /// Not NaN, not infinite.
    private static func isNumber(_ field: UnsafeRawBufferPointer) -> Bool {
        field.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || [UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e")].contains(byte)
        }
    }
}
