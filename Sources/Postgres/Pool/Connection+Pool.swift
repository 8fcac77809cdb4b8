import CLibpq
import EventLoops
import Glibc

extension Connection {
    /// Attaches without touching reference counts when the loop is the same.
    func moveIfNeeded(to loop: EventLoop) {
        if self.loop !== loop { attach(to: loop) }
    }

    /// No call is under way, so that the connection may go to another loop.
    var isSettled: Bool { activity == .idle && cancelRequest == nil }

    /// Another descriptor of the socket, which outlives `close`; the caller closes it. Nil without a socket.
    func duplicateSocket() -> CInt? {
        guard let handle, PQsocket(handle) >= 0 else { return nil }
        let descriptor = fcntl(PQsocket(handle), F_DUPFD_CLOEXEC, 0)
        return descriptor >= 0 ? descriptor : nil
    }

    /// Cuts the connection under its holder, on whose loop this is called: what waits fails now, what comes later too.
    func abort(_ reason: String) {
        requestCancel()
        if let handle, PQsocket(handle) >= 0 { shutdown(PQsocket(handle), CInt(SHUT_RDWR)) }
        fail(.connectionLost(reason: reason, sqlstate: nil))
    }
}
