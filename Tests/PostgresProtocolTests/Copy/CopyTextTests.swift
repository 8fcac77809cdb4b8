import PostgresProtocol
import TestSupport
import Testing

@Suite struct CopyTextTests {
    @Test func writerEscapesWhatTheServerEscapes() {
        var buffer = ByteBuffer()
        withText("a\u{8}\u{c}\n\r\t\u{b}\\z") { CopyTextWriter.appendField($0, to: &buffer) }
        CopyTextWriter.appendSeparator(to: &buffer)
        CopyTextWriter.appendField(nil, to: &buffer)
        CopyTextWriter.appendRowEnd(to: &buffer)

        #expect(buffer.string == "a\\b\\f\\n\\r\\t\\v\\\\z\t\\N\n")
    }

    @Test func fieldsEncodedInPlaceAreEscapedAfterwards() {
        var buffer = ByteBuffer()
        var scratch = ByteBuffer()
        buffer.append("x\t")
        buffer.append("a\tb")
        CopyTextWriter.escapeField(from: 2, in: &buffer, scratch: &scratch)

        #expect(buffer.string == "x\ta\\tb")
    }

    @Test func endMarkerIsNotAField() {
        #expect(withText("\\.\n") { CopyTextReader($0).isEndMarker })
        #expect(withText("\\.x\n") { !CopyTextReader($0).isEndMarker })
    }

    @Test func anyBytesSurviveALine() throws {
        var generator = SeededGenerator()
        print("seed \(generator.seed)")
        for _ in 0..<2000 {
            let fields = (0..<Int.random(in: 1...5, using: &generator)).map { _ -> [UInt8]? in
                guard Int.random(in: 0...4, using: &generator) > 0 else { return nil }
                let top: UInt8 = Bool.random(using: &generator) ? 16 : 255
                return (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                    UInt8.random(in: 0...top, using: &generator)
                }
            }
            #expect(try readBack(written(fields), columns: fields.count) == fields)
        }
    }

    private func written(_ fields: [[UInt8]?]) -> [UInt8] {
        var buffer = ByteBuffer()
        for (index, field) in fields.enumerated() {
            if index > 0 { CopyTextWriter.appendSeparator(to: &buffer) }
            if let field {
                withBytes(field) { CopyTextWriter.appendField($0, to: &buffer) }
            } else {
                CopyTextWriter.appendField(nil, to: &buffer)
            }
        }
        CopyTextWriter.appendRowEnd(to: &buffer)
        return array(buffer)
    }

    private func readBack(_ line: [UInt8], columns: Int) throws -> [[UInt8]?] {
        try withBytes(line) { raw in
            let size = RowLayout.size(ofTextLine: raw, columns: columns)
            let row = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
            defer { row.deallocate() }
            _ = try RowLayout.fill(row, fromTextLine: raw, columns: columns)
            return (0..<columns).map { RowLayout.field($0, of: row).map { Array($0) } }
        }
    }
}
