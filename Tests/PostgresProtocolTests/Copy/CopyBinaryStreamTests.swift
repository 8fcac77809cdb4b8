import PostgresProtocol
import Testing

@Suite struct CopyBinaryStreamTests {
    /// `copy (values (1, 'abc'), (2, null)) to stdout (format binary)` of PostgreSQL 15.
    static let header = hex("5047434f50590aff0d0a00 00000000 00000000")
    static let rows = [hex("0002 00000004 00000001 00000003 616263"), hex("0002 00000004 00000002 ffffffff")]
    static let trailer = hex("ffff")
    static let stream = header + rows[0] + rows[1] + trailer

    private func rows(inChunks chunks: [ArraySlice<UInt8>]) throws -> [[UInt8]] {
        var parser = CopyBinaryParser()
        var rows: [[UInt8]] = []
        for chunk in chunks {
            withBytes(Array(chunk)) { parser.append($0) }
            while let tuple = try parser.next() { rows.append(Array(tuple.bytes)) }
        }
        try parser.finish()
        return rows
    }

    @Test func chunksMayBeCutAnywhere() throws {
        let stream = Self.stream
        for first in 0...stream.count {
            for second in first...stream.count {
                #expect(try rows(inChunks: [stream[..<first], stream[first..<second], stream[second...]]) == Self.rows)
            }
        }
    }

    @Test func everyTruncatedStreamIsAnError() {
        for length in 0..<Self.stream.count {
            #expect(throws: CopyError.self) { try rows(inChunks: [Self.stream[..<length]]) }
        }
    }

    @Test func damageIsAnError() {
        #expect(throws: CopyError.dataAfterTrailer) { try rows(inChunks: [(Self.stream + [0])[...]]) }
        #expect(throws: CopyError.badSignature) { try rows(inChunks: [[0x51]]) }
        #expect(throws: CopyError.unsupportedFlags(0x10000)) {
            try rows(inChunks: [hex("5047434f50590aff0d0a00 00010000 00000000")[...]])
        }
        #expect(throws: CopyError.badFieldLength(field: 0, length: -5)) {
            try rows(inChunks: [(Self.header + hex("0001 fffffffb"))[...]])
        }
    }

    @Test func headerExtensionsAreSkipped() throws {
        let header = hex("5047434f50590aff0d0a00 00000001 00000002 abcd")
        #expect(try rows(inChunks: [(header + Self.rows[0] + Self.trailer)[...]]) == [Self.rows[0]])
    }

    @Test func messagesHoldOneRowEach() throws {
        var messages = CopyBinaryMessages()
        let first = try withBytes(Self.header + Self.rows[0]) { try messages.tuple(in: $0)?.fieldCount }
        let second = try withBytes(Self.rows[1]) { try messages.tuple(in: $0)?.fieldCount }
        let last = try withBytes(Self.trailer) { try messages.tuple(in: $0)?.fieldCount }

        #expect([first, second, last] == [2, 2, nil])
        #expect(messages.isEnded)
        #expect(throws: CopyError.dataAfterTrailer) { try withBytes(Self.rows[0]) { _ = try messages.tuple(in: $0) } }
    }

    @Test func emptyResultsAreHeaderAndTrailer() throws {
        var messages = CopyBinaryMessages()
        let none = try withBytes(Self.header + Self.trailer) { try messages.tuple(in: $0)?.fieldCount }

        #expect(none == nil)
        #expect(messages.isEnded)
    }

    @Test func writerMakesWhatTheServerMakes() {
        var buffer = ByteBuffer()
        CopyBinaryWriter.appendHeader(to: &buffer)
        CopyBinaryWriter.appendFieldCount(2, to: &buffer)
        withBytes(hex("00000001")) { CopyBinaryWriter.appendField($0, to: &buffer) }
        let mark = CopyBinaryWriter.beginField(in: &buffer)
        buffer.append("abc")
        CopyBinaryWriter.endField(mark, in: &buffer)
        CopyBinaryWriter.appendFieldCount(2, to: &buffer)
        withBytes(hex("00000002")) { CopyBinaryWriter.appendField($0, to: &buffer) }
        CopyBinaryWriter.appendNull(to: &buffer)
        CopyBinaryWriter.appendTrailer(to: &buffer)

        #expect(array(buffer) == Self.stream)
    }

    @Test func unchangedRowsAreWrittenAsTheyCame() throws {
        for bytes in Self.rows {
            try withBytes(bytes) { raw in
                let tuple = try CopyBinaryTuple(raw)
                let size = try RowLayout.size(ofBinaryTuple: tuple, columns: 2)
                let row = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
                defer { row.deallocate() }
                try RowLayout.fill(row, fromBinaryTuple: tuple)
                var buffer = ByteBuffer()
                CopyBinaryWriter.appendRow(row, columns: 2, to: &buffer)
                #expect(array(buffer) == bytes)
            }
        }
    }
}
