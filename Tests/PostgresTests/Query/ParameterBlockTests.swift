import PostgresProtocol
import Testing

@testable import Postgres

struct ParameterBlockTests {
    private func value(_ block: ParameterBlock, _ index: Int) -> [UInt8] {
        Array(block.bytes[block.offsets[index]..<(block.offsets[index] + Int(block.lengths[index]))])
    }

    @Test func encodesLiteralsInBinary() throws {
        let block = try ParameterBlock(
            [.integer(1), .integer(1 << 33), .boolean(true), .float(1), .null],
            types: [.int4, .int8, .bool, .float8, .text])

        #expect(value(block, 0) == [0, 0, 0, 1])
        #expect(value(block, 1) == [0, 0, 0, 2, 0, 0, 0, 0])
        #expect(value(block, 2) == [1])
        #expect(value(block, 3) == [0x3F, 0xF0, 0, 0, 0, 0, 0, 0])
        #expect(block.offsets[4] == -1)
        #expect(block.formats == [1, 1, 1, 1, 0])
    }

    @Test func sendsTextAsTheInferredTypeNeedsIt() throws {
        let block = try ParameterBlock(
            [.text([0, 255]), .text("1.5"), .text("x")], types: [.bytea, .numeric, .text])

        #expect(value(block, 0) == [0, 255])
        #expect(block.formats == [1, 0, 1])
        #expect(block.bytes[block.offsets[1] + 3] == 0)
    }

    @Test func refusesAZeroByteWhereTextEndsWithOne() {
        #expect(throws: PostgresError.invalidParameter(index: 2, reason: "the text contains a zero byte")) {
            try ParameterBlock([.null, .text([1, 0])], types: [.int4, .numeric])
        }
    }

    @Test func refusesAWrongNumber() {
        #expect(throws: PostgresError.parameterCount(expected: 1, given: 0)) {
            try ParameterBlock([], types: [.int4])
        }
    }

    @Test func declaresTypesAsLiteralsHaveThem() {
        let parameters: [Parameter] = [
            .integer(Int64(Int32.max)), .integer(Int64(Int32.max) + 1), .integer(Int64(Int32.min)), .text("x"), .null,
            .bytes([]), .typed(.uuid, []),
        ]

        #expect(parameters.map(\.declaredType) == [.int4, .int8, .int4, .invalid, .invalid, .bytea, .uuid])
    }
}
