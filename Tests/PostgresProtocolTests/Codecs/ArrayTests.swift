import PostgresProtocol
import TestSupport
import Testing

@Suite struct ArrayTests {
    private func elements(_ text: String, _ element: OID = .text) throws -> (ArrayShape, [String?]) {
        try withText(text) { field in
            var reader = try ArrayReader(field, element: element, format: .text)
            var scratch = ByteBuffer()
            var elements: [String?] = []
            while let next = try reader.next(&scratch) {
                if case .value(let bytes) = next {
                    elements.append(String(decoding: bytes, as: UTF8.self))
                } else {
                    elements.append(nil)
                }
            }
            return (reader.shape, elements)
        }
    }

    @Test func textElementsComeUnquotedInOrder() throws {
        let (shape, values) = try elements(#" { a , b c , "x y" , nUlL , "null", "a\"b\\c", a\,b, "" } "#)

        #expect(shape == ArrayShape(length: 8))
        #expect(values == ["a", "b c", "x y", nil, "null", "a\"b\\c", "a,b", ""])
    }

    @Test func shapesKeepBoundsAndNesting() throws {
        #expect(try elements("{}").0 == .empty)
        #expect(try elements("[2:4]={1,2,3}").0 == ArrayShape(lengths: [3], lowerBounds: [2]))
        #expect(try elements("[0:1][-1:0]={{1,2},{3,4}}").0 == ArrayShape(lengths: [2, 2], lowerBounds: [0, -1]))
        #expect(try elements("{{{1},{2}},{{3},{4}},{{5},{6}}}").0 == ArrayShape(lengths: [3, 2, 1]))
        #expect(try elements("{{a,b},{c,d}}").1 == ["a", "b", "c", "d"])
    }

    @Test(arguments: [
        "", "{", "}", "{a", "{a,}", "{,a}", "{a,,b}", "{a}b", "{{a},b}", "{a,{b}}", "{{a,b},{c}}", "{\"a}", "{a\"b\"}",
        "[1:2]={a}", "[2:1]={a}", "[1:2]{a,b}", "{{{{{{{1}}}}}}}", "{{},{}}", "{a b{c}", "a", "{\"a\"b}", "{\\", "{}{}",
    ])
    func malformedArraysAreRejected(text: String) {
        #expect(throws: CodecError.self) { try elements(text) }
    }

    @Test func binaryArraysAreWrittenElementByElement() throws {
        let shape = try #require(ArrayShape(lengths: [2, 2]))
        var buffer = ByteBuffer()
        var writer = ArrayWriter(shape, element: .int4, format: .binary, to: &buffer)
        for value: Int64 in [1, 2, 3] {
            try writer.append(to: &buffer) { buffer throws(CodecError) in
                try FieldEncoder.append(value, as: .int32, .binary, to: &buffer)
            }
        }
        writer.appendNull(to: &buffer)
        try writer.finish(to: &buffer)

        var text = ByteBuffer()
        try FieldDecoder.appendText(buffer.bytes, .array(of: .int4), .binary, to: &text)
        #expect(text.string == "{{1,2},{3,NULL}}")
        #expect(Array(buffer.bytes[4..<8]) == [0, 0, 0, 1])
    }

    @Test func tooFewElementsAreAnError() {
        #expect(throws: CodecError.self) {
            var buffer = ByteBuffer()
            var writer = ArrayWriter(ArrayShape(length: 2), element: .int4, format: .text, to: &buffer)
            writer.appendNull(to: &buffer)
            try writer.finish(to: &buffer)
        }
    }

    @Test func impossibleShapesAreRefused() {
        #expect(ArrayShape(lengths: [1, 1, 1, 1, 1, 1, 1]) == nil)
        #expect(ArrayShape(lengths: [0]) == nil)
        #expect(ArrayShape(lengths: [100_000, 100_000]) == nil)
        #expect(ArrayShape(lengths: [2], lowerBounds: [Int(Int32.max)]) == nil)
    }

    @Test func anyTextSurvivesAsAnElement() throws {
        var generator = SeededGenerator()
        print("seed \(generator.seed)")
        let alphabet = Array("ab\"\\{},; NULL\tü".unicodeScalars).map(String.init)
        for _ in 0..<1000 {
            let values = (0..<Int.random(in: 1...5, using: &generator)).map { _ in
                (0..<Int.random(in: 0...6, using: &generator)).map { _ in
                    alphabet.randomElement(using: &generator) ?? ""
                }.joined()
            }
            var buffer = ByteBuffer()
            var writer = ArrayWriter(ArrayShape(length: values.count), element: .text, format: .text, to: &buffer)
            for value in values {
                try writer.append(to: &buffer) { buffer throws(CodecError) in buffer.append(value) }
            }
            try writer.finish(to: &buffer)
            #expect(try elements(buffer.string).1 == values)
        }
    }

    @Test func timestampsInsideTextArraysBecomeUTC() throws {
        var buffer = ByteBuffer()
        try withText("{\"2024-05-01 12:00:00+02\",NULL}") {
            try FieldDecoder.appendText($0, .array(of: .timestamptz), .text, to: &buffer)
        }
        #expect(buffer.string == "{\"2024-05-01 10:00:00+00\",NULL}")
    }
}
