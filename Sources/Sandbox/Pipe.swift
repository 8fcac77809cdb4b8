import Glibc

/// Both ends of a pipe that no child inherits unless it is handed over.
final class Pipe {
    private var ends: [CInt] = [-1, -1]

    init() throws(SandboxError) {
        guard Glibc.pipe(&ends) == 0 else { throw .file(operation: "open", path: "pipe", errno: errno) }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
    }

    var writeEnd: CInt { ends[1] }

    func closeWriteEnd() {
        closeEnd(1)
    }

    func close() {
        closeEnd(0)
        closeEnd(1)
    }

    /// Everything until the last writer has closed its end.
    func readToEnd() -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = read(ends[0], &buffer, buffer.count)
            if count > 0 {
                bytes += buffer[..<count]
            } else if count == 0 || errno != EINTR {
                return String(decoding: bytes, as: UTF8.self)
            }
        }
    }

    private func closeEnd(_ index: Int) {
        guard ends[index] >= 0 else { return }
        _ = Glibc.close(ends[index])
        ends[index] = -1
    }
}
