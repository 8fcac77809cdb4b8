@preconcurrency import Glibc
import Logging
import NIOCore
import Scripting

/// Shows a run to whoever may see it, for as long as it goes on: on its own socket, and where `--listen` says.
struct RunServer {
    private static let logger = Logger(label: "replhost")

    private let servers: [HTTPServer]
    private let socket: String?

    /// - Parameter address: with the token that is asked for there.
    static func start(
        _ host: ScriptHost, _ address: (address: ListenAddress, token: String?)?
    ) async throws(ListenError) -> RunServer {
        var servers: [HTTPServer] = []
        if let (address, token) = address {
            let site = RunSite(token.map { .token($0) } ?? .loopback) { await host.figures() }
            do { servers.append(try await HTTPServer.bind(.address(address), site)) } catch {
                throw ListenError(address: address, reason: reason(error))
            }
            let name = address.host.contains(":") ? "[\(address.host)]" : address.host
            logger.info("listening on http://\(name):\(servers[0].port ?? address.port)/")
        }
        RunSocket.clean()
        let socket = RunSocket.path()
        if let socket {
            unlink(socket)
            do {
                let site = RunSite(.file) { await host.figures() }
                servers.append(try await HTTPServer.bind(.file(socket), site))
                chmod(socket, 0o600)
            } catch {
                logger.warning("no socket for \"replhost top\" at \(socket): \(reason(error))")
            }
        }
        return RunServer(servers: servers, socket: socket)
    }

    private static func reason(_ error: any Error) -> String {
        (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
    }

    /// Serves while `work` goes on. Its end is the end of the process: clients that are slow to go are not waited for.
    func serving<Value>(_ work: () async -> Value) async -> Value {
        let tasks = servers.map { server in Task { await server.run() } }
        defer {
            if let socket { unlink(socket) }
            for task in tasks { task.cancel() }
        }
        return await work()
    }
}

/// An address that cannot be had.
struct ListenError: Error {
    let address: ListenAddress
    let reason: String

    var report: FailureReport {
        FailureReport(
            code: "RH0111", "cannot listen on \(address.host), port \(address.port): \(reason)",
            hint: "Another program may have the port: choose another one, or 0 for any that is free.")
    }
}
