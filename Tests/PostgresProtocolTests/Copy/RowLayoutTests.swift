import PostgresProtocol
import Testing

@Suite struct RowLayoutTests {
    /// Field count 3: `0000002a`, NULL, `616263`.
    static let tuple = hex("0003 00000004 0000002a ffffffff 00000003 616263")

    private func fields(ofTuple bytes: [UInt8], columns: Int) throws -> [[UInt8]?] {
        try withBytes(bytes) { raw in
            let tuple = try CopyBinaryTuple(raw)
            let size = try RowLayout.size(ofBinaryTuple: tuple, columns: columns)
            let row = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
            defer { row.deallocate() }
            try RowLayout.fill(row, fromBinaryTuple: tuple)
            return (0..<columns).map { RowLayout.field($0, of: row).map(Array.init) }
        }
    }

    private func fields(ofLine line: String, columns: Int) throws -> [String?] {
        try withText(line) { raw in
            let size = RowLayout.size(ofTextLine: raw, columns: columns)
            let row = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
            defer { row.deallocate() }
            let used = try RowLayout.fill(row, fromTextLine: raw, columns: columns)
            #expect(used <= size)
            return (0..<columns).map { RowLayout.field($0, of: row).map { String(decoding: $0, as: UTF8.self) } }
        }
    }

    @Test func binaryTupleBecomesCells() throws {
        #expect(try fields(ofTuple: Self.tuple, columns: 3) == [hex("0000002a"), nil, hex("616263")])
        #expect(try fields(ofTuple: hex("0000"), columns: 0) == [])
    }

    @Test func neighbouringColumnsAreOnePieceOfWireFormat() throws {
        try withBytes(Self.tuple) { raw in
            let tuple = try CopyBinaryTuple(raw)
            let size = try RowLayout.size(ofBinaryTuple: tuple, columns: 3)
            let row = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
            defer { row.deallocate() }
            try RowLayout.fill(row, fromBinaryTuple: tuple)

            #expect(Array(RowLayout.wireBytes(of: 0..<3, in: row)) == Array(Self.tuple[2...]))
            #expect(Array(RowLayout.wireBytes(of: 1..<2, in: row)) == hex("ffffffff"))
            #expect(Array(RowLayout.wireBytes(of: 1..<3, in: row)) == Array(Self.tuple[10...]))
        }
    }

    @Test func everyTruncationIsAnError() {
        for length in 0..<Self.tuple.count {
            #expect(throws: CopyError.self) { try fields(ofTuple: Array(Self.tuple[..<length]), columns: 3) }
        }
        #expect(throws: CopyError.truncatedField(field: 2, needed: 3, left: 2)) {
            try fields(ofTuple: Array(Self.tuple.dropLast()), columns: 3)
        }
    }

    @Test func damageIsNamed() {
        #expect(throws: CopyError.badFieldLength(field: 0, length: -3)) {
            try fields(ofTuple: hex("0001 fffffffd"), columns: 1)
        }
        #expect(throws: CopyError.wrongFieldCount(expected: 2, found: 3)) {
            try fields(ofTuple: Self.tuple, columns: 2)
        }
        #expect(throws: CopyError.excessBytes(1)) { try fields(ofTuple: Self.tuple + [0], columns: 3) }
        #expect(throws: CopyError.truncatedField(field: 0, needed: 0x7fff_ffff, left: 0)) {
            try fields(ofTuple: hex("0001 7fffffff"), columns: 1)
        }
    }

    @Test func noDamagedByteIsReadOutOfBounds() {
        for index in Self.tuple.indices {
            for value in [UInt8(0), 1, 0x7F, 0x80, 0xFF] {
                var bytes = Self.tuple
                bytes[index] = value
                for case let field? in (try? fields(ofTuple: bytes, columns: 3)) ?? [] {
                    #expect(field.count <= bytes.count)
                }
            }
        }
    }

    @Test func textLineBecomesCells() throws {
        #expect(try fields(ofLine: "42\t\\N\tabc\n", columns: 3) == ["42", nil, "abc"])
        #expect(try fields(ofLine: "", columns: 1) == [""])
        #expect(try fields(ofLine: "\t\n", columns: 2) == ["", ""])
        #expect(try fields(ofLine: "\\N", columns: 1) == [nil])
        #expect(try fields(ofLine: "\\Nx\t\\\\N", columns: 2) == ["Nx", "\\N"])
    }

    @Test func escapesAreUndone() throws {
        #expect(
            try fields(ofLine: "a\\b\\f\\n\\r\\t\\v\\\\z\t\\x41\\101\\1\\q", columns: 2)
                == ["a\u{8}\u{c}\n\r\t\u{b}\\z", "AA\u{1}q"])
        #expect(
            try fields(ofLine: "long plain text before\\tthe escape, and much after it\tnext field", columns: 2)
                == ["long plain text before\tthe escape, and much after it", "next field"])
    }

    @Test func wrongLinesAreErrors() {
        #expect(throws: CopyError.wrongFieldCount(expected: 2, found: 1)) { try fields(ofLine: "a", columns: 2) }
        #expect(throws: CopyError.wrongFieldCount(expected: 2, found: 4)) {
            try fields(ofLine: "a\tb\tc\td", columns: 2)
        }
        #expect(throws: CopyError.truncatedEscape(field: 1)) { try fields(ofLine: "a\tb\\", columns: 2) }
    }
}
