@preconcurrency import Glibc
import Synchronization

/// Lets a thread that waits for keys hear of other things: that the window has changed, and that it should stop.
final class WakePipe: Sendable {
    let readEnd: CInt
    private let writeEnd: CInt

    /// Where the handler of SIGWINCH writes to.
    private static let resizeEnd = Atomic<CInt>(-1)

    init() {
        var ends: [CInt] = [-1, -1]
        _ = pipe(&ends)
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    deinit {
        _ = Self.resizeEnd.compareExchange(expected: writeEnd, desired: -1, ordering: .relaxed)
        close(readEnd)
        close(writeEnd)
    }

    func signal() { Self.write(to: writeEnd) }

    /// From here on a window that changes its size wakes up as well.
    func watchWindow() {
        Self.resizeEnd.store(writeEnd, ordering: .relaxed)
        Glibc.signal(SIGWINCH) { _ in
            let code = errno
            WakePipe.write(to: WakePipe.resizeEnd.load(ordering: .relaxed))
            errno = code
        }
    }

    func clear() {
        var buffer = [UInt8](repeating: 0, count: 64)
        while read(readEnd, &buffer, buffer.count) > 0 {}
    }

    private static func write(to descriptor: CInt) {
        var byte: UInt8 = 0
        if descriptor >= 0 { _ = Glibc.write(descriptor, &byte, 1) }
    }
}
