import Glibc
import Sandbox

/// Where a server listens. Sockets are handed out as plain descriptors, which the caller closes.
package enum Endpoint: Sendable, Equatable {
    case unix(path: String)
    /// TCP on 127.0.0.1; port 0 means any when listening.
    case loopback(port: UInt16)

    package func connect() throws -> CInt {
        let descriptor = try makeSocket()
        let result = withAddress { Glibc.connect(descriptor, $0, $1) }
        guard result == 0 else { throw Self.failure("connect to", self, closing: descriptor) }
        return descriptor
    }

    package func listen() throws -> CInt {
        let descriptor = try makeSocket()
        var yes: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<CInt>.size))
        let result = withAddress { bind(descriptor, $0, $1) }
        guard result == 0, Glibc.listen(descriptor, 256) == 0 else {
            throw Self.failure("listen on", self, closing: descriptor)
        }
        // The directory is private; the server's account must get through, too.
        if case .unix(let path) = self { chmod(path, 0o777) }
        return descriptor
    }

    static func portOf(_ descriptor: CInt) throws -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard result == 0 else { throw SandboxError.file(operation: "inspect", path: "socket", errno: errno) }
        return UInt16(bigEndian: address.sin_port)
    }

    private func makeSocket() throws -> CInt {
        let family = if case .unix = self { AF_UNIX } else { AF_INET }
        let descriptor = socket(family, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SandboxError.file(operation: "open", path: "socket", errno: errno) }
        return descriptor
    }

    private func withAddress<Value>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
        switch self {
        case .unix(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
            return Self.rebind(&address, body)
        case .loopback(let port):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            return Self.rebind(&address, body)
        }
    }

    private static func rebind<Address, Value>(
        _ address: inout Address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
    ) -> Value {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }

    private static func failure(_ operation: String, _ endpoint: Endpoint, closing descriptor: CInt) -> SandboxError {
        let code = errno
        close(descriptor)
        return .file(operation: operation, path: "\(endpoint)", errno: code)
    }
}
