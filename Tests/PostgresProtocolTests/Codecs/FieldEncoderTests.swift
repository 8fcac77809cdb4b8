import PostgresProtocol
import TestSupport
import Testing

@Suite struct FieldEncoderTests {
    private func encode(_ value: Int64, _ kind: ValueKind, _ format: DataFormat = .binary) throws -> [UInt8] {
        var buffer = ByteBuffer()
        try FieldEncoder.append(value, as: kind, format, to: &buffer)
        return array(buffer)
    }

    private func encodeFloat(_ value: Double, _ kind: ValueKind, _ format: DataFormat = .binary) throws -> [UInt8] {
        var buffer = ByteBuffer()
        try FieldEncoder.append(value, as: kind, format, to: &buffer)
        return array(buffer)
    }

    @Test func integersFitOrFailByName() throws {
        #expect(try encode(-32768, .int16) == hex("8000"))
        #expect(try encode(4_294_967_295, .oid) == hex("ffffffff"))
        #expect(try encode(Int64.min, .int64) == hex("8000000000000000"))
        #expect(throws: CodecError.outOfRange(.int16, lowest: "-32768", highest: "32767")) { try encode(32768, .int16) }
        #expect(throws: CodecError.self) { try encode(2_147_483_648, .int32) }
        #expect(throws: CodecError.self) { try encode(-1, .oid) }
    }

    @Test func integersServeFloatsAndNumerics() throws {
        #expect(try encode(2, .float8) == hex("4000000000000000"))
        #expect(try encode(100_000_000, .numeric) == hex("0001 0002 0000 0000 0001"))
        #expect(try encode(-12_345, .numeric) == hex("0002 0001 4000 0000 0001 0929"))
        #expect(try encode(0, .numeric) == hex("0000 0000 0000 0000"))
        #expect(throws: CodecError.notAssignable(.text, from: "an integer")) { try encode(1, .text) }
    }

    @Test func floatsServeIntegersWithoutFraction() throws {
        #expect(try encodeFloat(3.0, .int32) == hex("00000003"))
        #expect(throws: CodecError.notAssignable(.int32, from: "a float with a fraction")) {
            try encodeFloat(3.5, .int32)
        }
        #expect(throws: CodecError.notAssignable(.int32, from: "NaN")) { try encodeFloat(Double.nan, .int32) }
        #expect(throws: CodecError.self) { try encodeFloat(1e300, .int64) }
        #expect(throws: CodecError.self) { try encodeFloat(0x1p63, .int64) }
        #expect(throws: CodecError.notAssignable(.numeric, from: "a float")) { try encodeFloat(1.0, .numeric) }
    }

    @Test func float4OverflowsWithAnError() throws {
        #expect(throws: CodecError.self) { try encodeFloat(1e300, .float4) }
        #expect(try encodeFloat(Double.infinity, .float4) == hex("7f800000"))
        #expect(try encodeFloat(0.1, .float4, .text) == Array("0.1".utf8))
    }

    @Test func integersPrintLikeTheirDescriptions() throws {
        var generator = SeededGenerator()
        print("seed \(generator.seed)")
        for _ in 0..<2000 {
            let value = Int64(bitPattern: generator.next()) >> Int64.random(in: 0...63, using: &generator)
            #expect(try encode(value, .int64, .text) == Array(String(value).utf8))
        }
    }

    @Test func otherTypesAreRefusedInBinaryOnly() throws {
        var buffer = ByteBuffer()
        #expect(throws: CodecError.noPortableBinary(.other)) {
            var buffer = ByteBuffer()
            try withText("(1,2)") { try FieldEncoder.append(text: $0, as: .other, .binary, to: &buffer) }
        }
        try withText("(1,2)") { try FieldEncoder.append(text: $0, as: .other, .text, to: &buffer) }
        #expect(buffer.string == "(1,2)")
    }
}
