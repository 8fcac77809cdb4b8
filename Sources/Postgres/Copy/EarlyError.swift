import CLibpq
import EventLoops
import Glibc

/// Notices that the server has refused a COPY while data is still being sent.
///
/// libpq leaves an ErrorResponse unread until the client has ended the data. So the socket is peeked at, message by
/// message, before libpq reads it: type (one byte), length (Int32, itself included), content. Under TLS nothing can be
/// seen, and after a message that is larger than the window the border between messages is lost: then the error is
/// found when the data ends.
struct EarlyError {
    private static let window = 4096
    /// Whether the next byte of the socket begins a message.
    private var isAligned: Bool
    /// Half a message is there: asking for readability would not wait.
    private var isIncomplete = false

    init(usesTLS: Bool) { isAligned = !usesTLS }

    /// What to wait for when the socket takes no more.
    var event: SocketEvent { isAligned && !isIncomplete ? .readableOrWritable : .writable }

    /// True if an ErrorResponse has come, or the server has hung up. Notices before it go to libpq.
    mutating func isWaiting(on raw: OpaquePointer) -> Bool {
        guard isAligned else { return false }
        return withUnsafeTemporaryAllocation(byteCount: Self.window, alignment: 1) { memory in
            while true {
                let count = recv(PQsocket(raw), memory.baseAddress, memory.count, CInt(MSG_PEEK) | CInt(MSG_DONTWAIT))
                if count == 0 { return true }
                guard count > 0 else { return false }
                if let answer = note(UnsafeRawBufferPointer(rebasing: memory[..<count]), raw) { return answer }
            }
        }
    }

    /// What the bytes mean; nil if libpq has read them and there may be more.
    private mutating func note(_ bytes: UnsafeRawBufferPointer, _ raw: OpaquePointer) -> Bool? {
        switch Self.look(bytes) {
        case .error: return true
        case .incomplete:
            isIncomplete = true
            if bytes.count == Self.window { isAligned = false }
            return false
        case .others:
            isIncomplete = false
            // More than was seen may be read: then the border is lost.
            if bytes.count == Self.window { isAligned = false }
            guard PQconsumeInput(raw) == 1 else { return true }
            // Parses notices and notifications; of no other use while data is being sent.
            _ = PQisBusy(raw)
            return isAligned ? nil : false
        }
    }

    private enum Sight {
        case error
        case others
        case incomplete
    }

    private static func look(_ bytes: UnsafeRawBufferPointer) -> Sight {
        var position = 0
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: "E") { return .error }
            guard position + 5 <= bytes.count else { return .incomplete }
            let length = bytes[(position + 1)..<(position + 5)].reduce(0) { $0 << 8 | Int($1) }
            position += 1 + length
        }
        return position == bytes.count ? .others : .incomplete
    }
}
