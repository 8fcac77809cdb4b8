import PostgresProtocol

/// Values of small results that the host itself asks for, in either format.
extension ResultSet {
    /// The field in PostgreSQL's text form, nil for NULL. Throws if it cannot be decoded.
    package func string(_ row: Int, _ column: Int) throws(PostgresError) -> String? {
        guard let bytes = field(row, column) else { return nil }
        var buffer = ByteBuffer()
        do throws(CodecError) {
            try FieldDecoder.appendText(
                bytes, ValueKind(columns[column].type), columns[column].format, to: &buffer)
        } catch {
            throw .unexpected("column \"\(columns[column].name)\": \(error)")
        }
        return buffer.string
    }

    /// The text of a field that is never NULL.
    package func text(of column: Int, row: Int = 0) throws(PostgresError) -> String {
        guard row < count, let text = try string(row, column) else { throw missing(column) }
        return text
    }

    /// A whole number, nil for NULL.
    package func number(_ row: Int, _ column: Int) throws(PostgresError) -> Int? {
        guard let text = try string(row, column) else { return nil }
        guard let number = Int(text) else { throw .unexpected("column \"\(columns[column].name)\" is no whole number") }
        return number
    }

    /// False for NULL.
    package func isTrue(_ row: Int, _ column: Int) throws(PostgresError) -> Bool {
        try string(row, column) == "t"
    }

    /// The elements of an array, "" for NULL ones; empty for NULL.
    package func strings(_ row: Int, _ column: Int) throws(PostgresError) -> [String] {
        guard let bytes = field(row, column), let element = columns[column].type.element else { return [] }
        var elements: [String] = []
        do throws(CodecError) {
            var reader = try ArrayReader(bytes, element: element, format: columns[column].format)
            var scratch = ByteBuffer()
            var text = ByteBuffer()
            while let next = try reader.next(&scratch) {
                text.removeAll()
                if case .value(let value) = next {
                    try FieldDecoder.appendText(value, reader.elementKind, reader.format, to: &text)
                }
                elements.append(text.string)
            }
        } catch {
            throw .unexpected("column \"\(columns[column].name)\": \(error)")
        }
        return elements
    }

    private func missing(_ column: Int) -> PostgresError {
        .unexpected("no value in column \"\(columns[column].name)\"")
    }
}

extension Parameter {
    /// A `text[]`.
    package static func texts(_ values: [String]) -> Parameter {
        let quoted = values.map { value in
            "\"" + value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        }
        return .typed(.textArray, Array("{\(quoted.joined(separator: ","))}".utf8))
    }
}
