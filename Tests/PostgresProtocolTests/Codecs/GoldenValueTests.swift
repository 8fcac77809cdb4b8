import PostgresProtocol
import Testing

@Suite struct GoldenValueTests {
    private func text(_ bytes: [UInt8], _ kind: ValueKind, _ format: DataFormat) throws -> String {
        var buffer = ByteBuffer()
        try withBytes(bytes) { try FieldDecoder.appendText($0, kind, format, to: &buffer) }
        return buffer.string
    }

    private func binary(_ text: String, _ kind: ValueKind) throws -> [UInt8] {
        var buffer = ByteBuffer()
        try withText(text) { try FieldEncoder.append(text: $0, as: kind, .binary, to: &buffer) }
        return array(buffer)
    }

    @Test(arguments: GoldenValue.all) func binaryPrintsAsTheServerPrints(value: GoldenValue) throws {
        #expect(try text(value.binary, value.kind, .binary) == value.text)
    }

    @Test(arguments: GoldenValue.all) func textEncodesAsTheServerSends(value: GoldenValue) throws {
        #expect(try binary(value.text, value.kind) == value.binary)
    }

    @Test(arguments: GoldenValue.all) func bothFormsGiveTheSameText(value: GoldenValue) throws {
        #expect(try text(Array(value.text.utf8), value.kind, .text) == value.text)
    }

    /// Kinds whose bytes have no structure of their own may be cut anywhere.
    @Test(arguments: GoldenValue.all.filter { ![.text, .bytea, .jsonb].contains($0.kind) })
    func everyTruncationIsAnError(value: GoldenValue) {
        for length in 0..<value.binary.count {
            #expect(throws: CodecError.self, "\(length) bytes") {
                try text(Array(value.binary[..<length]), value.kind, .binary)
            }
        }
    }

    @Test(arguments: GoldenValue.all) func damagedBytesNeverTrap(value: GoldenValue) {
        for index in value.binary.indices {
            for damage: UInt8 in [0, 1, 0x7F, 0x80, 0xFF] {
                var bytes = value.binary
                bytes[index] = damage
                _ = try? text(bytes, value.kind, .binary)
            }
        }
    }

    @Test(arguments: GoldenValue.all) func damagedTextNeverTraps(value: GoldenValue) {
        let characters = Array(value.text)
        for index in characters.indices {
            for damage: Character in ["0", "9", "{", "\"", "\\", ":", "-", "e", " ", "ü"] {
                var damaged = characters
                damaged[index] = damage
                _ = try? binary(String(damaged), value.kind)
                _ = try? binary(String(characters[..<index]), value.kind)
            }
        }
    }
}
