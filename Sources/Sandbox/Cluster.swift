import Glibc

/// A PostgreSQL data directory and the server on it. Every call blocks; none of them locks (see `SandboxServers`).
package struct Cluster: Sendable {
    /// How a running server is asked to stop.
    package enum StopMode: Sendable {
        /// Sessions are ended, transactions rolled back, a checkpoint written.
        case fast
        /// At once; the next start recovers from the log.
        case immediate
    }

    package enum State: Equatable, Sendable {
        /// No finished data directory.
        case absent
        case stopped
        /// Starting or stopping.
        case busy(pid: Int32)
        case ready(pid: Int32)
    }

    package static let superuser = "postgres"
    /// Bytes; a log beyond that is begun anew at the next start.
    private static let largestLog = 16 << 20

    package let binaries: PostgresBinaries
    package let account: ServerAccount
    package let dataDirectory: String
    package let socketDirectory: String
    package let logFile: String
    /// Names the socket, and the TCP port if `listenAddresses` has any.
    package var port: UInt16
    /// Empty: only the Unix socket.
    package var listenAddresses = ""

    package init(
        binaries: PostgresBinaries, account: ServerAccount, directory: String, socketDirectory: String, port: UInt16
    ) {
        self.binaries = binaries
        self.account = account
        dataDirectory = directory + "/data"
        logFile = directory + "/server.log"
        self.socketDirectory = socketDirectory
        self.port = port
    }

    package var socketPath: String { "\(socketDirectory)/.s.PGSQL.\(port)" }

    package var state: State {
        guard FileTree.exists(dataDirectory + "/PG_VERSION") else { return .absent }
        guard let postmaster = runningPostmaster() else { return .stopped }
        return postmaster.status == .ready ? .ready(pid: postmaster.pid) : .busy(pid: postmaster.pid)
    }

    /// Makes the data directory unless it is there. It appears under its name only when it is complete, so one that
    /// was interrupted is begun again.
    ///
    /// - Parameter configuration: lines added to postgresql.conf.
    package func initialize(configuration: String, sync: Bool) throws(SandboxError) {
        guard !FileTree.exists(dataDirectory + "/PG_VERSION") else { return }
        removePartialDirectories()
        try FileTree.remove(dataDirectory)
        // A new name each time: an initdb whose starter was killed may still be writing.
        let partial = dataDirectory + Self.partialSuffix + String(UInt32.random(in: 0 ... .max), radix: 16)
        let options = ["--encoding=UTF8", "--locale=C.UTF-8", "--username=" + Self.superuser, "--auth=trust"]
        let initdb = [binaries.path("initdb"), "-D", partial] + options + (sync ? [] : ["--no-sync"])
        try Command(initdb, as: account).runChecked()
        try FileTree.append("\n" + configuration + "\n", to: partial + "/postgresql.conf")
        try FileTree.rename(partial, to: dataDirectory)
    }

    /// Returns once the server accepts connections; at once if it already does.
    package func start(timeout: Duration = .seconds(60)) throws(SandboxError) {
        let deadline = ContinuousClock.now + timeout
        switch try settledState(until: deadline) {
        case .ready: return
        case .busy(let pid): return try waitUntilReady(pid: pid, logOffset: 0, timeout: timeout, deadline: deadline)
        case .absent, .stopped: break
        }
        try checkVersion()
        try clearRemains(until: deadline)
        if FileTree.size(of: logFile) > Self.largestLog { try FileTree.remove(logFile) }
        let logOffset = (FileTree.read(logFile) ?? "").utf8.count
        let pid = try launch()
        try waitUntilReady(pid: pid, logOffset: logOffset, timeout: timeout, deadline: deadline)
    }

    /// Returns once the server's last process is gone. A fast stop that takes too long becomes an immediate one.
    package func stop(_ mode: StopMode = .fast, timeout: Duration = .seconds(30)) throws(SandboxError) {
        guard let postmaster = runningPostmaster() else { return }
        let processes = ServerProcesses(dataDirectory: dataDirectory)
        kill(postmaster.pid, mode == .fast ? SIGINT : SIGQUIT)
        if Self.poll(until: .now + timeout, { processes.all().isEmpty }) { return }
        kill(postmaster.pid, SIGQUIT)
        if Self.poll(until: .now + .seconds(10), { processes.all().isEmpty }) { return }
        throw .stopTimedOut(directory: dataDirectory, pid: postmaster.pid)
    }

    /// Kills every process of the server, as a power cut would.
    package func crash() {
        let processes = ServerProcesses(dataDirectory: dataDirectory)
        _ = Self.poll(until: .now + .seconds(10)) {
            processes.kill(SIGKILL)
            return processes.all().isEmpty
        }
    }

    /// Kills only the postmaster; its children notice and go soon after.
    package func crashPostmaster() {
        guard let postmaster = runningPostmaster() else { return }
        kill(postmaster.pid, SIGKILL)
        _ = Self.poll(until: .now + .seconds(10)) { !ServerProcesses.isRunning(postmaster.pid) }
    }

    // MARK: - Steps

    private static let partialSuffix = ".partial-"

    /// One that is still being written to cannot always be removed; it goes the next time.
    private func removePartialDirectories() {
        let home = FileTree.parent(of: dataDirectory)
        for name in FileTree.names(in: home) where (home + "/" + name).hasPrefix(dataDirectory + Self.partialSuffix) {
            try? FileTree.remove(home + "/" + name)
        }
    }

    private func runningPostmaster() -> PostmasterFile? {
        guard let text = FileTree.read(dataDirectory + "/postmaster.pid"), let file = PostmasterFile(text: text),
            ServerProcesses(dataDirectory: dataDirectory).contains(file.pid)
        else { return nil }
        return file
    }

    /// The state once a stopping server has stopped.
    private func settledState(until deadline: ContinuousClock.Instant) throws(SandboxError) -> State {
        let isSettled = Self.poll(until: deadline) { runningPostmaster()?.status != .stopping }
        guard isSettled else {
            throw .stopTimedOut(directory: dataDirectory, pid: runningPostmaster()?.pid ?? 0)
        }
        return state
    }

    private func checkVersion() throws(SandboxError) {
        let version = FileTree.read(dataDirectory + "/PG_VERSION")?.split(separator: "\n").first.map(String.init) ?? ""
        guard version == binaries.majorVersion else {
            throw .wrongVersion(
                directory: dataDirectory, dataVersion: version, serverVersion: binaries.majorVersion)
        }
    }

    /// What a killed server leaves: a postmaster.pid that may name a process of somebody else by now, and children that
    /// have not noticed yet. Children still there after a while are killed; they cannot do any good.
    private func clearRemains(until deadline: ContinuousClock.Instant) throws(SandboxError) {
        let processes = ServerProcesses(dataDirectory: dataDirectory)
        let patience = min(deadline, .now + .seconds(3))
        if !Self.poll(until: patience, { processes.all().isEmpty }) { crash() }
        try FileTree.remove(dataDirectory + "/postmaster.pid")
        try FileTree.remove(socketPath + ".lock")
    }

    /// Starts the postmaster as nobody's child, so that whoever waits for its end need not be the one who started it.
    private func launch() throws(SandboxError) -> Int32 {
        let settings = [
            "unix_socket_directories=" + socketDirectory, "port=\(port)", "listen_addresses=" + listenAddresses,
        ]
        let postgres = [binaries.path("postgres"), "-D", dataDirectory] + settings.flatMap { ["-c", $0] }
        let shell = ["/bin/sh", "-c", "\"$@\" </dev/null >>\"$0\" 2>&1 & echo $!", logFile]
        let output = try Command(shell + postgres, as: account).runChecked()
        guard let pid = Int32(output.prefix { $0.isNumber }) else {
            throw .programFailed(program: postgres[0], status: 0, output: output)
        }
        return pid
    }

    private func waitUntilReady(
        pid: Int32, logOffset: Int, timeout: Duration, deadline: ContinuousClock.Instant
    ) throws(SandboxError) {
        var isDead = false
        let isSettled = Self.poll(until: deadline) {
            if let file = runningPostmaster(), file.pid == pid, file.status == .ready { return true }
            isDead = !ServerProcesses.isRunning(pid)
            return isDead
        }
        guard isSettled else {
            throw .startTimedOut(directory: dataDirectory, seconds: Int(timeout.components.seconds))
        }
        guard !isDead else { throw .startFailed(directory: dataDirectory, log: logTail(from: logOffset)) }
    }

    private func logTail(from offset: Int) -> String {
        let text = FileTree.read(logFile) ?? ""
        let lines = String(decoding: text.utf8.dropFirst(offset), as: UTF8.self).split(separator: "\n").suffix(10)
        return lines.joined(separator: "\n")
    }

    /// Asks every 5 ms; false if the deadline came first.
    private static func poll(until deadline: ContinuousClock.Instant, _ isDone: () -> Bool) -> Bool {
        while !isDone() {
            guard ContinuousClock.now < deadline else { return false }
            usleep(5000)
        }
        return true
    }
}
