import PostgresProtocol
import Testing

@testable import Replication

@Suite struct KeyIndexTests {
    /// Keys as they come: a length, then a number in network byte order.
    @Test(arguments: [4, 8]) func numbersInARowLieFarFromEachOther(width: Int) {
        let count = 10_000
        var arena = ByteBuffer()
        var keys: [ArenaSlice] = []
        for number in 0..<count {
            let start = arena.count
            arena.append(bigEndian: Int32(width))
            if width == 4 { arena.append(bigEndian: Int32(number)) } else { arena.append(bigEndian: Int64(number)) }
            keys.append(ArenaSlice(offset: start, count: arena.count - start))
        }
        var index = KeyIndex(expecting: count)
        var comparisons = 0
        for (position, key) in keys.enumerated() {
            let place = index.find(key, in: arena.bytes) { known in
                comparisons += 1
                return keys[known]
            }
            index.insert(position, place)
        }
        guard case .known(let found) = index.find(keys[77], in: arena.bytes, { keys[$0] }) else {
            Issue.record("a key is lost")
            return
        }

        #expect(found == 77)
        #expect(comparisons < 2 * count)
    }
}
