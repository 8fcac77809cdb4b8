import Foundation
import Synchronization

/// Stands between clients and a server and misbehaves on demand. One thread serves all connections.
package final class FaultProxy: Sendable {
    /// What happens to a connection. New connections get the proxy's current one.
    package struct Behaviour: Sendable, Equatable {
        package enum Mode: Sendable, Equatable {
            case pass
            /// Nothing moves, nothing is lost: goes on where it stopped when the mode changes back.
            case freeze
            /// Everything sent vanishes, as on a network whose cable is out; nobody is told.
            case swallow
            /// Closed as soon as it is accepted.
            case refuse
        }

        package var mode = Mode.pass
        /// Time between the client's connecting and the connection to the server.
        package var connectDelay = Duration.zero
        package var delayToServer = Duration.zero
        package var delayToClient = Duration.zero
        /// Cut the connection after so many bytes reached the client.
        package var cutAfterBytesToClient: Int?

        package init(
            mode: Mode = .pass, connectDelay: Duration = .zero, delayToServer: Duration = .zero,
            delayToClient: Duration = .zero, cutAfterBytesToClient: Int? = nil
        ) {
            self.mode = mode
            self.connectDelay = connectDelay
            self.delayToServer = delayToServer
            self.delayToClient = delayToClient
            self.cutAfterBytesToClient = cutAfterBytesToClient
        }
    }

    package struct Counts: Sendable, Equatable {
        /// Connections clients have made, refused ones included.
        package var accepted = 0
        package var refused = 0
        package var open = 0
        /// The most that were open at once.
        package var peak = 0
        package var bytesToServer = 0
        package var bytesToClient = 0
        /// How often a server was sent something after it had answered.
        package var roundTrips = 0
    }

    /// What tests ask for; carried out by the proxy's thread.
    struct Control: Sendable {
        var behaviour = Behaviour()
        /// For the connections open now; nil: leave them.
        var behaviourOfOpen: Behaviour?
        var cutsOpen = false
        var isClosing = false
        var counts = Counts()
        /// How often tests asked for something, and how many of these the thread has seen.
        var asked = 0
        var obeyed = 0
    }

    private let shared: Shared
    private let host: String
    private let port: UInt16
    private let ended = DispatchSemaphore(value: 0)

    /// Listens on a Unix socket of its own.
    package convenience init(to server: Endpoint) throws {
        let directory = try TestWorkspace.shared().makeDirectory("proxy")
        let endpoint = Endpoint.unix(path: directory + "/.s.PGSQL.5432")
        try self.init(to: server, listener: endpoint.listen(), host: directory, port: 5432)
    }

    /// Listens on a free port of 127.0.0.1.
    package static func onLoopback(to server: Endpoint) throws -> FaultProxy {
        let listener = try Endpoint.loopback(port: 0).listen()
        return try FaultProxy(to: server, listener: listener, host: "127.0.0.1", port: Endpoint.portOf(listener))
    }

    private init(to server: Endpoint, listener: CInt, host: String, port: UInt16) throws {
        self.host = host
        self.port = port
        shared = try Shared()
        let loop = ProxyLoop(listener: listener, server: server, shared: shared)
        Thread.detachNewThread { [ended] in
            loop.run()
            ended.signal()
        }
    }

    deinit {
        close()
    }

    package func conninfo(database: String = "postgres", user: String = "postgres") -> String {
        "host=\(host) port=\(port) user=\(user) dbname=\(database)"
    }

    package var counts: Counts { shared.read { $0.counts } }

    /// For connections made from now on.
    package func setBehaviour(_ behaviour: Behaviour) {
        shared.change { $0.behaviour = behaviour }
    }

    /// For the connections open now; new ones are not affected.
    package func setBehaviourOfOpen(_ behaviour: Behaviour) {
        shared.change { $0.behaviourOfOpen = behaviour }
    }

    /// For open and new connections.
    package func setAll(_ behaviour: Behaviour) {
        shared.change {
            $0.behaviour = behaviour
            $0.behaviourOfOpen = behaviour
        }
    }

    /// Ends all open connections without a goodbye (RST on TCP).
    package func cut() {
        shared.change { $0.cutsOpen = true }
    }

    /// Closes the listener and all connections, and waits for the thread to end. Idempotent.
    package func close() {
        let isFirst = shared.change { control in
            defer { control.isClosing = true }
            return !control.isClosing
        }
        if isFirst { ended.wait() }
    }

    /// The control block and the pipe that tells the thread to look at it.
    final class Shared: Sendable {
        private let control = Mutex(Control())
        let wakeDescriptor: CInt
        private let bellDescriptor: CInt

        init() throws {
            var ends: [CInt] = [-1, -1]
            guard pipe(&ends) == 0 else { throw POSIXError(.EMFILE) }
            for end in ends {
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
            }
            wakeDescriptor = ends[0]
            bellDescriptor = ends[1]
        }

        deinit {
            Glibc.close(wakeDescriptor)
            Glibc.close(bellDescriptor)
        }

        func read<Value: Sendable>(_ body: (Control) -> Value) -> Value {
            control.withLock { body($0) }
        }

        /// Changes the control block, not waking the thread; for the thread itself.
        func update<Value: Sendable>(_ body: (inout Control) -> Value) -> Value {
            control.withLock { body(&$0) }
        }

        /// Changes the control block; returns when the thread has done what it says.
        @discardableResult
        func change<Value: Sendable>(_ body: (inout Control) -> Value) -> Value {
            let (result, number) = control.withLock { control in
                control.asked += 1
                return (body(&control), control.asked)
            }
            var byte: UInt8 = 1
            _ = Glibc.write(bellDescriptor, &byte, 1)
            while read({ $0.obeyed < number && !$0.isClosing }) { usleep(100) }
            return result
        }
    }
}
