import Foundation
import Sandbox
import Synchronization
import TestSupport
import Testing

/// The named servers of `sandbox:NAME`, each test in a state directory of its own.
@Suite(.onServer)
@BlockingThread
final class SandboxServersTests {
    private let directory: String
    private let servers: SandboxServers
    private let account: ServerAccount

    init() throws {
        let workspace = try TestWorkspace.shared()
        directory = try workspace.makeDirectory("sandboxes")
        account = workspace.account
        servers = try SandboxServers(directory: directory, isDurable: false)
    }

    deinit {
        for server in servers.list() {
            try? servers.remove(server.name)
        }
    }

    @Test func isMadeOnFirstUseAndKeepsItsDataOverStopAndStart() throws {
        let servers = try SandboxServers(directory: directory)
        let conninfo = try servers.connectionString("shop")
        try query("create table t (x int); insert into t values (7)", conninfo)
        #expect(try servers.stopAll() == ["shop"])
        #expect(servers.list().map(\.state) == [.stopped])
        #expect(try servers.stop("shop") == false)

        #expect(try query("select x from t", servers.connectionString("shop")) == "7")
        #expect(try query("show wal_level", conninfo) == "logical")
        #expect(try query("show fsync", conninfo) == "on")
        #expect(try query("show listen_addresses", conninfo) == "")
    }

    @Test func manyAtOnceGetOneServerBehindAPrivateDirectory() throws {
        let results = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 8) { [servers] _ in
            let result = (try? servers.connectionString("shared")) ?? "failed"
            results.withLock { $0.append(result) }
        }

        let conninfo = try servers.connectionString("shared")
        let socket = try #require(servers.list().first?.socketPath)
        var info = stat()
        stat(FileTree.parent(of: socket), &info)

        #expect(results.withLock { $0 } == Array(repeating: conninfo, count: 8))
        #expect(servers.list().count == 1)
        #expect(info.st_mode & 0o777 == 0o700)
        #expect(info.st_uid == account.userID)
    }

    @Test func comesBackAfterItsPostmasterWasKilled() throws {
        let conninfo = try servers.connectionString("shop")
        try query("create table t as select 7 as x", conninfo)
        let pid = try #require(servers.list().first?.pid)
        kill(pid, SIGKILL)

        #expect(try query("select x from t", restarted("shop", after: pid)) == "7")
    }

    @Test func aProcessIDThatNowBelongsToSomebodyElseIsNoServer() throws {
        _ = try servers.connectionString("shop")
        let data = try #require(servers.list().first?.dataDirectory)
        try servers.stop("shop")
        try FileTree.append("\(getpid())\n\(data)\n1\n5432\n/x\n\n 1 1\nready   \n", to: data + "/postmaster.pid")
        chown(data + "/postmaster.pid", account.userID, account.groupID)

        #expect(servers.list().map(\.state) == [.stopped])
        #expect(try query("select 1", servers.connectionString("shop")) == "1")
    }

    @Test func aHalfMadeServerIsMadeAnew() throws {
        let home = directory + "/shop"
        try FileTree.makePrivateDirectory(home, for: account)
        try FileTree.makeDirectories(home + "/data.partial-1/base", mode: 0o700)
        try FileTree.append("15\n", to: home + "/data.partial-1/PG_VERSION")
        #expect(servers.list().map(\.state) == [.absent])

        #expect(try query("select 1", servers.connectionString("shop")) == "1")
        #expect(FileTree.names(in: home).sorted() == ["data", "server.log", "socket"])
    }

    @Test func aServerThatCannotStartSaysWhyFromItsLog() throws {
        _ = try servers.connectionString("shop")
        let data = try #require(servers.list().first?.dataDirectory)
        try servers.stop("shop")
        try FileTree.append("shared_buffers = '1 parsec'\n", to: data + "/postgresql.conf")

        let error = #expect(throws: SandboxError.self) { try servers.connectionString("shop") }
        #expect(error?.description.contains("FATAL") == true)
        #expect(error?.hint?.contains("shared_buffers") == true)
    }

    @Test func aDeepStateDirectoryGetsAShortSocketPathThatGoesWithIt() throws {
        let deep = directory + "/" + String(repeating: "deep", count: 20)
        let servers = try SandboxServers(directory: deep, isDurable: false)
        let conninfo = try servers.connectionString("shop")
        #expect(try query("select 1", conninfo) == "1")
        #expect(conninfo.contains("host='/tmp/replhost-"))

        try servers.remove("shop")

        #expect(servers.list() == [])
        #expect(throws: SandboxError.noSuchSandbox("shop")) { try servers.remove("shop") }
        #expect(throws: SandboxError.noSuchSandbox("shop")) { try servers.stop("shop") }
    }

    /// Waits out the moment in which the killed postmaster is still there.
    private func restarted(_ name: String, after pid: Int32) throws -> String {
        let deadline = ContinuousClock.now + .seconds(10)
        while servers.list().first(where: { $0.name == name })?.pid == pid, ContinuousClock.now < deadline {
            usleep(1000)
        }
        return try servers.connectionString(name)
    }

    @discardableResult
    private func query(_ sql: String, _ conninfo: String) throws -> String {
        let psql = try PostgresBinaries.find().path("psql")
        let output = try Command([psql, "-XqAt", "-d", conninfo, "-c", sql], as: account).runChecked()
        return output.hasSuffix("\n") ? String(output.dropLast()) : output
    }
}
