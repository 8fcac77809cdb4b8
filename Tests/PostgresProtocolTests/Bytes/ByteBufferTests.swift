import PostgresProtocol
import Testing

@Suite struct ByteBufferTests {
    @Test func growsAndKeepsItsContent() {
        var buffer = ByteBuffer(capacity: 16)
        for value in 0..<1000 { buffer.append(bigEndian: UInt16(value)) }

        #expect(buffer.count == 2000)
        #expect(buffer.bytes.loadBigEndian(1998, as: UInt16.self) == 999)
    }

    @Test func dropsBytesAtEitherEnd() {
        var buffer = ByteBuffer()
        buffer.append("abcdef")
        buffer.removeFirst(2)
        buffer.truncate(to: 3)

        #expect(buffer.string == "cde")
        buffer.removeFirst(10)
        #expect(buffer.bytes.isEmpty)
    }

    @Test func givesLargeMemoryBack() {
        var buffer = ByteBuffer()
        buffer.append([UInt8](repeating: 7, count: 100_000))
        buffer.removeAll(keepingAtMost: 1024)

        #expect((buffer.capacity as Int) == 1024)
        #expect(buffer.bytes.isEmpty)
    }

    @Test func lengthsAreFilledInLater() {
        var buffer = ByteBuffer()
        buffer.append(bigEndian: Int32(0))
        buffer.append("abc")
        buffer.store(bigEndian: Int32(3), at: 0)

        #expect(array(buffer) == hex("00000003 616263"))
    }
}
