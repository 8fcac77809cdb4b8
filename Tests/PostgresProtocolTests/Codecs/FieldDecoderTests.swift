import PostgresProtocol
import Testing

@Suite struct FieldDecoderTests {
    private func integer(_ text: String, _ kind: ValueKind) throws -> Int64 {
        try withText(text) { try FieldDecoder.integer($0, kind, .text) }
    }

    private func float(_ text: String, _ kind: ValueKind) throws -> Double {
        try withText(text) { try FieldDecoder.float($0, kind, .text) }
    }

    @Test func binaryIntegersAreExact() throws {
        #expect(try withBytes(hex("8000")) { try FieldDecoder.integer($0, .int16, .binary) } == -32768)
        #expect(try withBytes(hex("7fffffff")) { try FieldDecoder.integer($0, .int32, .binary) } == 2_147_483_647)
        #expect(try withBytes(hex("ffffffff")) { try FieldDecoder.integer($0, .oid, .binary) } == 4_294_967_295)
        #expect(try withBytes(hex("8000000000000000")) { try FieldDecoder.integer($0, .int64, .binary) } == .min)
    }

    @Test func everyWrongLengthIsAnError() {
        for (kind, width) in [(ValueKind.int16, 2), (.int32, 4), (.int64, 8), (.oid, 4)] {
            for length in 0...9 where length != width {
                #expect(throws: CodecError.wrongLength(kind, expected: width, found: length)) {
                    try withBytes([UInt8](repeating: 0, count: length)) { try FieldDecoder.integer($0, kind, .binary) }
                }
            }
        }
    }

    @Test func textIntegersAreExactAtTheirLimits() throws {
        #expect(try integer("-32768", .int16) == -32768)
        #expect(try integer("9223372036854775807", .int64) == .max)
        #expect(try integer("-9223372036854775808", .int64) == .min)
        #expect(try integer(" +7 ", .int32) == 7)
        #expect(try integer("4294967295", .oid) == 4_294_967_295)
        #expect(try integer("0000000000000000000000042", .int16) == 42)
    }

    @Test(arguments: [
        ("32768", ValueKind.int16), ("2147483648", .int32), ("9223372036854775808", .int64), ("-1", .oid),
        ("4294967296", .oid), ("99999999999999999999", .int64),
    ])
    func integersOutOfRangeNameTheLimits(text: String, kind: ValueKind) {
        let error = #expect(throws: CodecError.self) { try integer(text, kind) }
        #expect(error?.description.hasPrefix("value out of range for type \"\(kind)\" (") == true)
    }

    @Test(arguments: ["", "-", "+", "1.0", "1 2", "abc", "0x10", "--1", "1e3"])
    func whatIsNoWholeNumberIsRejected(text: String) {
        #expect(throws: CodecError.self) { try integer(text, .int32) }
    }

    @Test func booleansReadAsTheServerReadsThem() throws {
        for text in ["t", "true", "TRUE", "y", "yes", "on", "1", " tr "] {
            #expect(try withText(text) { try FieldDecoder.boolean($0, .text) }, "\(text)")
        }
        for text in ["f", "false", "n", "no", "off", "of", "0"] {
            #expect(try withText(text) { try !FieldDecoder.boolean($0, .text) }, "\(text)")
        }
        for text in ["", "o", "truex", "2"] {
            #expect(throws: CodecError.self) { try withText(text) { try FieldDecoder.boolean($0, .text) } }
        }
        #expect(try withBytes([1]) { try FieldDecoder.boolean($0, .binary) })
    }

    @Test func floatsKeepEveryBit() throws {
        #expect(try withBytes(hex("3ff8000000000000")) { try FieldDecoder.float($0, .float8, .binary) } == 1.5)
        #expect(try withBytes(hex("3dcccccd")) { try FieldDecoder.float($0, .float4, .binary) } == Double(Float(0.1)))
        #expect(try float("0.1", .float4) == Double(Float(0.1)))
        #expect(try float("0.1", .float8) == 0.1)
        #expect(try float("NaN", .float8).isNaN)
        #expect(try float("-Infinity", .float8) == -.infinity)
        #expect(try float("inf", .float4) == .infinity)
        #expect(try float("5e-324", .float8) == .leastNonzeroMagnitude)
        #expect(try float("-0", .float8).sign == .minus)
        #expect(try float("1.7976931348623157e+308", .float8) == .greatestFiniteMagnitude)
        #expect(try float(".5", .float8) == 0.5)
    }

    @Test(arguments: ["", "1e", "e5", ".", "1.2.3", "0x1p3", "1_0", "nanx", "1e400", "1e-400"])
    func whatIsNoFloatIsRejected(text: String) {
        #expect(throws: CodecError.self) { try float(text, .float8) }
    }
}
