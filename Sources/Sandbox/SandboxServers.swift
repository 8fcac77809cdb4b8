import Glibc

/// The named, persistent servers behind `sandbox:NAME`. Made on first use, started on demand, left running between
/// processes, reachable only through a Unix socket that nobody but this user and root can open.
///
/// Safe when several processes or threads ask for the same server at once, and when one of them is killed at any point.
/// Every call blocks; call it from a helper thread.
package struct SandboxServers: Sendable {
    private let directory: String
    private let account: ServerAccount
    private let isDurable: Bool

    /// The servers of the current user.
    package init() throws(SandboxError) {
        account = try ServerAccount.current()
        directory = try StateDirectory.path(for: account)
        isDurable = true
    }

    /// Servers in a directory that the server's account can reach; if not durable, new ones never wait for the disk.
    package init(directory: String, isDurable: Bool = true) throws(SandboxError) {
        account = try ServerAccount.current()
        self.directory = directory
        self.isDurable = isDurable
    }

    /// A libpq connection string for the server, which is running when this returns.
    package func connectionString(_ name: String) throws(SandboxError) -> String {
        let name = try SandboxName(name)
        let cluster = cluster(name)
        if case .ready = cluster.state { return Self.connectionString(of: cluster) }
        return try start(name)
    }

    /// All servers by name. Asks no server.
    package func list() -> [SandboxStatus] {
        var all: [SandboxStatus] = []
        for text in FileTree.names(in: directory).sorted() {
            guard let name = try? SandboxName(text) else { continue }
            let cluster = cluster(name)
            all.append(
                SandboxStatus(
                    name: text, state: cluster.state, dataDirectory: cluster.dataDirectory,
                    socketPath: cluster.socketPath, size: FileTree.size(of: path(name))))
        }
        return all
    }

    /// Ends the server; its data stay. False if it was not running.
    @discardableResult
    package func stop(_ text: String) throws(SandboxError) -> Bool {
        let name = try existing(text)
        return try FileLock.holding(lockFile(name)) { () throws(SandboxError) in
            let cluster = cluster(name)
            switch cluster.state {
            case .absent, .stopped: return false
            case .busy, .ready: try cluster.stop()
            }
            return true
        }
    }

    /// Ends all servers; the names of those that were running.
    package func stopAll() throws(SandboxError) -> [String] {
        var stopped: [String] = []
        for server in list() where server.pid != nil {
            if try stop(server.name) { stopped.append(server.name) }
        }
        return stopped
    }

    /// Ends the server and removes all it held.
    package func remove(_ text: String) throws(SandboxError) {
        let name = try existing(text)
        try FileLock.holding(lockFile(name)) { () throws(SandboxError) in
            let cluster = cluster(name)
            try cluster.stop(.immediate)
            try FileTree.remove(path(name))
            try FileTree.remove(cluster.socketDirectory)
        }
    }

    // MARK: - Steps

    private func start(_ name: SandboxName) throws(SandboxError) -> String {
        try makeDirectories()
        return try FileLock.holding(lockFile(name)) { () throws(SandboxError) in
            try FileTree.makePrivateDirectory(path(name), for: account)
            let dataVersion = FileTree.read(path(name) + "/data/PG_VERSION")?.split(separator: "\n").first
            let binaries = try PostgresBinaries.find(majorVersion: dataVersion.map(String.init))
            let cluster = cluster(name, binaries: binaries)
            try FileTree.makePrivateDirectory(cluster.socketDirectory, for: account)
            try cluster.initialize(
                configuration: Self.configuration + (isDurable ? "" : "\nfsync = off"), sync: isDurable)
            try cluster.start()
            return Self.connectionString(of: cluster)
        }
    }

    private func makeDirectories() throws(SandboxError) {
        // Root's servers run as somebody else, who must be able to pass; each server's own directory is private.
        let mode: UInt32 = account.differsFromCaller ? 0o755 : 0o700
        try FileTree.makeDirectories(directory, mode: mode)
        try FileTree.makeDirectories(locks, mode: 0o700)
    }

    private var locks: String { directory + "/.locks" }

    private func path(_ name: SandboxName) -> String {
        directory + "/" + name.text
    }

    private func lockFile(_ name: SandboxName) -> String {
        locks + "/" + name.text
    }

    private func existing(_ text: String) throws(SandboxError) -> SandboxName {
        let name = try SandboxName(text)
        guard FileTree.isDirectory(path(name)) else { throw .noSuchSandbox(text) }
        return name
    }

    /// Without programs it can be looked at and stopped, but not made or started.
    private func cluster(_ name: SandboxName, binaries: PostgresBinaries? = nil) -> Cluster {
        let path = path(name)
        return Cluster(
            binaries: binaries ?? PostgresBinaries(directory: "", majorVersion: ""), account: account, directory: path,
            socketDirectory: SocketDirectory.path(in: path, for: account), port: 5432)
    }

    private static func connectionString(of cluster: Cluster) -> String {
        let host = cluster.socketDirectory.map { $0 == "'" || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
        return "host='\(host)' port=\(cluster.port) user=\(Cluster.superuser) dbname=postgres"
    }

    /// A small server, ready to be the source or the target of replication. Durability is as PostgreSQL's default, since
    /// people try it out here.
    private static let configuration = """
        # Settings of a replhost sandbox. Change them below, or with ALTER SYSTEM.
        max_connections = 200
        shared_buffers = 64MB
        max_wal_size = 1GB
        wal_level = logical
        max_wal_senders = 64
        max_replication_slots = 64
        max_worker_processes = 32
        max_logical_replication_workers = 16
        unix_socket_permissions = 0700
        log_line_prefix = '%m [%p] %q%u@%d '
        """
}
