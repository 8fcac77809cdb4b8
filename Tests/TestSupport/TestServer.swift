import Glibc
package import Sandbox
import Synchronization

/// A throwaway PostgreSQL server: quick, not durable, gone when the test process ends.
///
/// Sessions over the Unix socket need no password unless `Options.authentication` says so.
package final class TestServer: Sendable {
    package struct Options: Sendable {
        /// Lines for postgresql.conf, such as "max_connections = 20".
        package var settings: [String] = []
        /// Lines of pg_hba.conf that come before the default ones, such as "local all ann scram-sha-256".
        package var authentication: [String] = []
        /// Listens on 127.0.0.1 as well; see `port`.
        package var listensOnLoopback = false
        /// Offers TLS on the loopback address with a certificate for "localhost"; see `certificate`.
        package var usesTLS = false

        package init(
            settings: [String] = [], authentication: [String] = [], listensOnLoopback: Bool = false,
            usesTLS: Bool = false
        ) {
            self.settings = settings
            self.authentication = authentication
            self.listensOnLoopback = listensOnLoopback || usesTLS
            self.usesTLS = usesTLS
        }
    }

    package let cluster: Cluster
    private let workspace: TestWorkspace

    private static let sharedServer = Mutex<TestServer?>(nil)
    private static let template = Mutex<String?>(nil)

    /// The server of this test process. Share it where nothing is stopped, restarted or counted server-wide.
    package static func shared() throws -> TestServer {
        try sharedServer.withLock { server in
            if let server { return server }
            let started = try start(
                Options(
                    settings: ["max_connections = 300", "max_replication_slots = 200", "max_wal_senders = 100"]))
            server = started
            return started
        }
    }

    /// A server of one's own. End it with `remove()` if the test process should not keep it until its end.
    package static func start(_ options: Options = Options()) throws -> TestServer {
        let workspace = try TestWorkspace.shared()
        let server = try TestServer(workspace: workspace, port: options.listensOnLoopback ? freePort() : 5432, options)
        try server.prepare(options)
        try server.cluster.start()
        return server
    }

    private init(workspace: TestWorkspace, port: UInt16, _ options: Options) throws {
        let directory = try workspace.makeDirectory("server")
        let socketDirectory = directory + "/socket"
        try FileTree.makePrivateDirectory(socketDirectory, for: workspace.account)
        var cluster = Cluster(
            binaries: workspace.binaries, account: workspace.account, directory: directory,
            socketDirectory: socketDirectory, port: port)
        if options.listensOnLoopback { cluster.listenAddresses = "127.0.0.1" }
        self.cluster = cluster
        self.workspace = workspace
    }

    // MARK: - Reaching it

    package var port: UInt16 { cluster.port }

    package var endpoint: Endpoint { .unix(path: cluster.socketPath) }

    package var loopbackEndpoint: Endpoint { .loopback(port: port) }

    /// The self-signed certificate, good as `sslrootcert`, too.
    package var certificate: String { cluster.dataDirectory + "/server.crt" }

    /// Over the Unix socket.
    package func conninfo(database: String = "postgres", user: String = Cluster.superuser) -> String {
        "host=\(cluster.socketDirectory) port=\(port) user=\(user) dbname=\(database)"
    }

    /// Over TCP; needs `Options.listensOnLoopback`.
    package func loopbackConninfo(database: String = "postgres", user: String = Cluster.superuser) -> String {
        "host=localhost hostaddr=127.0.0.1 port=\(port) user=\(user) dbname=\(database)"
    }

    /// A new empty database; its conninfo.
    package func makeDatabase() throws -> String {
        let name = "db\(workspace.nextNumber())"
        try run("create database \(name)")
        return conninfo(database: name)
    }

    /// Runs statements with psql, each on its own; what they return, unaligned, without headings.
    @discardableResult
    package func run(_ statements: String..., in conninfo: String? = nil) throws -> String {
        let target = ["-d", conninfo ?? self.conninfo(), "-v", "ON_ERROR_STOP=1"]
        let psql = [cluster.binaries.path("psql"), "-XqAt"] + target + statements.flatMap { ["-c", $0] }
        let output = try Command(psql, as: workspace.account).runChecked()
        return output.hasSuffix("\n") ? String(output.dropLast()) : output
    }

    /// What the server has logged.
    package var log: String { FileTree.read(cluster.logFile) ?? "" }

    // MARK: - Trouble

    package func stop(_ mode: Cluster.StopMode = .fast) throws {
        try cluster.stop(mode)
    }

    /// Starts it again after `stop` or `crash`.
    package func start() throws {
        try cluster.start()
    }

    package func restart(_ mode: Cluster.StopMode = .fast) throws {
        try cluster.stop(mode)
        try cluster.start()
    }

    /// Kills all its processes.
    package func crash() {
        cluster.crash()
    }

    package func remove() throws {
        try cluster.stop(.immediate)
        try FileTree.remove(FileTree.parent(of: cluster.dataDirectory))
    }

    // MARK: - Making it

    private func prepare(_ options: Options) throws {
        let source = try Self.templateDirectory(workspace)
        let copy = ["cp", "-a", "--reflink=auto", source, cluster.dataDirectory]
        try Command(copy, as: workspace.account).runChecked()
        let tls = options.usesTLS ? ["ssl = on"] : []
        let settings = (options.settings + tls).joined(separator: "\n") + "\n"
        try FileTree.append(settings, to: cluster.dataDirectory + "/postgresql.conf")
        if options.usesTLS { try makeCertificate() }
        if !options.authentication.isEmpty { try prepend(options.authentication) }
    }

    private func prepend(_ lines: [String]) throws {
        let path = cluster.dataDirectory + "/pg_hba.conf"
        let rest = FileTree.read(path) ?? ""
        let added = path + ".added"
        try FileTree.append(lines.joined(separator: "\n") + "\n" + rest, to: added)
        // Copied over the old file, which keeps its owner.
        let install = ["cp", added, path]
        guard chown(added, workspace.account.userID, workspace.account.groupID) == 0 else {
            throw SandboxError.file(operation: "change the owner of", path: added, errno: errno)
        }
        try Command(install, as: workspace.account).runChecked()
    }

    private func makeCertificate() throws {
        let directory = cluster.dataDirectory
        let names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        let files = ["-keyout", directory + "/server.key", "-out", directory + "/server.crt"]
        let request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"] + names + files
        try Command(request, as: workspace.account).runChecked()
        try Command(["chmod", "600", directory + "/server.key"], as: workspace.account).runChecked()
    }

    /// Made once per process; copying it is ten times quicker than initdb.
    private static func templateDirectory(_ workspace: TestWorkspace) throws -> String {
        try template.withLock { path in
            if let path { return path }
            let cluster = Cluster(
                binaries: workspace.binaries, account: workspace.account,
                directory: try workspace.makeDirectory("template"), socketDirectory: "", port: 5432)
            try cluster.initialize(configuration: configuration, sync: false)
            path = cluster.dataDirectory
            return cluster.dataDirectory
        }
    }

    private static let configuration = """
        fsync = off
        full_page_writes = off
        shared_buffers = 32MB
        max_connections = 100
        wal_level = logical
        max_wal_senders = 20
        max_replication_slots = 20
        autovacuum_naptime = 1h
        log_line_prefix = '%m [%p] %q%u@%d '
        """

    private static func freePort() throws -> UInt16 {
        let socket = try Endpoint.loopback(port: 0).listen()
        defer { close(socket) }
        return try Endpoint.portOf(socket)
    }
}
