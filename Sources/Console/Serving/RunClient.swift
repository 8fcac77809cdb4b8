@preconcurrency import Glibc

/// Asks a run of this user, over its socket. Blocks for as long as `patience` at most.
struct RunClient {
    enum Failure: Error, Equatable {
        /// Nobody is behind the socket any more.
        case isGone
        case noAnswer
    }

    private static let patience = timeval(tv_sec: 3, tv_usec: 0)

    let path: String

    /// The body of the answer.
    func get(_ page: String) throws(Failure) -> String {
        let descriptor = try connect()
        defer { close(descriptor) }
        let request = "GET \(page) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        var text = request
        let isSent = text.withUTF8 { Terminal.writeAtOnce(UnsafeRawBufferPointer($0), to: descriptor) }
        guard isSent, let answer = try? StandardInput.read(descriptor) else { throw .noAnswer }
        guard answer.hasPrefix("HTTP/1.1 200 "), let end = answer.firstRange(of: "\r\n\r\n") else { throw .noAnswer }
        return String(answer[end.upperBound...])
    }

    private func connect() throws(Failure) -> CInt {
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .noAnswer }
        var patience = Self.patience
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { bytes in
            bytes.copyBytes(from: path.utf8.prefix(bytes.count - 1))
        }
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard !isConnected else { return descriptor }
        let isRefused = errno == ECONNREFUSED || errno == ENOENT
        close(descriptor)
        throw isRefused ? .isGone : .noAnswer
    }
}
