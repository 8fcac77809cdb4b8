@preconcurrency import Glibc
import Scripting
import Synchronization

/// Lines of standard input. Not through C's buffered stream, whose lock a waiting reader would hold.
final class LineReader: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var isAtEnd = false
    }

    private let state = Mutex(State())

    /// The next line without its line break, nil at the end. Waits on a thread of its own.
    func next() async -> String? {
        await Blocking.run { [self] in
            while true {
                if let line = takeLine() { return line }
                if state.withLock({ $0.isAtEnd }) { return takeRest() }
                fill()
            }
        }
    }

    private func fill() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(STDIN_FILENO, &buffer, buffer.count)
        if count < 0, errno == EINTR { return }
        state.withLock { state in
            if count > 0 { state.bytes += buffer[..<count] } else { state.isAtEnd = true }
        }
    }

    private func takeLine() -> String? {
        state.withLock { state in
            guard let end = state.bytes.firstIndex(of: 0x0A) else { return nil }
            var line = state.bytes[..<end]
            if line.last == 0x0D { line.removeLast() }
            state.bytes.removeSubrange(...end)
            return String(decoding: line, as: UTF8.self)
        }
    }

    private func takeRest() -> String? {
        state.withLock { state in
            defer { state.bytes = [] }
            return state.bytes.isEmpty ? nil : String(decoding: state.bytes, as: UTF8.self)
        }
    }
}
