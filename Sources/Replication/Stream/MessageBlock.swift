import PostgresProtocol

/// Payloads of a replication stream in order, on their way from the thread that receives to the one that applies.
// Safe: handed from thread to thread under a lock, used by one at a time.
final class MessageBlock: @unchecked Sendable {
    enum Entry {
        case message(Range<Int>, start: LSN)
        case keepalive(Keepalive)
    }

    /// A block is handed on at this size at the latest, but for a single message that is larger.
    static let size = 1 << 18

    private(set) var entries: [Entry] = []
    /// A commit is among them.
    private(set) var hasCommit = false
    /// A keepalive is among them: mostly, the server has sent all there is.
    private(set) var hasKeepalive = false
    /// The server's clock when it sent the last of them, in microseconds since 2000-01-01 UTC.
    private(set) var sentAt: Int64 = 0
    private var bytes = ByteBuffer(capacity: 1 << 12)

    var byteCount: Int { bytes.count + entries.count * MemoryLayout<Entry>.stride }
    var isFull: Bool { byteCount >= Self.size }

    func append(_ frame: StreamFrame) {
        switch frame {
        case .data(let data):
            let start = bytes.count
            bytes.append(data.payload)
            if LogicalMessage.isCommit(data.payload) { hasCommit = true }
            entries.append(.message(start..<bytes.count, start: data.start))
            sentAt = data.serverTime
        case .keepalive(let keepalive):
            entries.append(.keepalive(keepalive))
            hasKeepalive = true
            sentAt = keepalive.serverTime
        }
    }

    /// Adds what `other` has.
    func append(_ other: MessageBlock) {
        let shift = bytes.count
        bytes.append(other.bytes.bytes)
        hasCommit = hasCommit || other.hasCommit
        hasKeepalive = hasKeepalive || other.hasKeepalive
        sentAt = other.sentAt
        for entry in other.entries {
            switch entry {
            case .message(let range, let start):
                entries.append(.message(range.lowerBound + shift..<range.upperBound + shift, start: start))
            case .keepalive: entries.append(entry)
            }
        }
    }

    /// Valid as long as the block is not changed.
    func payload(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes.bytes[range])
    }
}
