import Glibc
import Sandbox
import TestSupport
import Testing

/// The tools that other tests of this target rely on.
@Suite(.onServer)
@BlockingThread
struct FaultProxyTests {
    private let server: TestServer

    init() throws {
        server = try TestServer.shared()
    }

    @Test func passesEverythingAndCountsIt() throws {
        let proxy = try FaultProxy(to: server.endpoint)
        defer { proxy.close() }

        let length = try server.run("select length(repeat('x', 3000000))", in: proxy.conninfo())
        let long = try server.run("select repeat('x', 3000000)", in: proxy.conninfo())

        #expect(length == "3000000")
        #expect(long.count == 3_000_000)
        #expect(proxy.counts.accepted == 2)
        #expect(proxy.counts.bytesToClient > 3_000_000)
    }

    @Test func slowsConnectingAndEachDirection() throws {
        let proxy = try FaultProxy.onLoopback(to: server.endpoint)
        defer { proxy.close() }
        proxy.setBehaviour(
            .init(
                connectDelay: .milliseconds(100), delayToServer: .milliseconds(20), delayToClient: .milliseconds(20)))

        let time = try ContinuousClock().measure { try server.run("select 1", in: proxy.conninfo()) }

        #expect(time >= .milliseconds(180))
    }

    @Test func refusesAndCuts() throws {
        let proxy = try FaultProxy(to: server.endpoint)
        defer { proxy.close() }
        proxy.setBehaviour(.init(mode: .refuse))
        #expect(throws: SandboxError.self) { try server.run("select 1", in: proxy.conninfo()) }
        proxy.setBehaviour(.init(cutAfterBytesToClient: 5000))
        #expect(throws: SandboxError.self) { try server.run("select repeat('x', 100000)", in: proxy.conninfo()) }

        proxy.setBehaviour(.init())
        #expect(try server.run("select 1", in: proxy.conninfo()) == "1")
        #expect(proxy.counts.refused == 1)
    }

    @Test func whatWasFrozenGoesOnAndWhatWasSwallowedDoesNot() async throws {
        let proxy = try FaultProxy(to: server.endpoint)
        defer { proxy.close() }
        let descriptor = try proxyConnection(proxy)
        defer { close(descriptor) }
        proxy.setAll(.init(mode: .freeze))
        // SSLRequest; the server's answer over a Unix socket is one byte, "N".
        let request: [UInt8] = [0, 0, 0, 8, 4, 210, 22, 47]
        #expect(write(descriptor, request, 8) == 8)

        #expect(!isReadable(descriptor, within: 50))
        proxy.setAll(.init())
        #expect(isReadable(descriptor, within: 5000))

        var answer = [UInt8](repeating: 0, count: 8)
        #expect(read(descriptor, &answer, 8) == 1)
        proxy.setAll(.init(mode: .swallow))
        #expect(write(descriptor, request, 8) == 8)
        #expect(!isReadable(descriptor, within: 50))
        proxy.cut()
        #expect(isReadable(descriptor, within: 5000))
        #expect(read(descriptor, &answer, 8) <= 0)
    }

    @Test func aServerComesBackAfterStopsAndCrashes() throws {
        let own = try TestServer.start(.init(settings: ["max_connections = 10"]))
        defer { try? own.remove() }
        try own.run("create table t as select 1 as x")

        own.crash()
        #expect(throws: SandboxError.self) { try own.run("select 1") }
        try own.start()
        try own.restart(.immediate)
        #expect(try own.run("select x from t", "show max_connections") == "1\n10")
    }

    @Test func passwordsAndTLSCanBeAskedFor() throws {
        let own = try TestServer.start(
            .init(authentication: ["hostssl all ann 127.0.0.1/32 scram-sha-256"], usesTLS: true))
        defer { try? own.remove() }
        try own.run("create role ann login password 'secret'")
        let conninfo = own.loopbackConninfo(user: "ann") + " sslmode=verify-full sslrootcert=\(own.certificate)"

        #expect(try own.run("select current_user", in: conninfo + " password=secret") == "ann")
        #expect(throws: SandboxError.self) { try own.run("select 1", in: conninfo + " password=wrong") }
    }

    private func proxyConnection(_ proxy: FaultProxy) throws -> CInt {
        let directory = try #require(proxy.conninfo().split(separator: " ").first?.dropFirst("host=".count))
        return try Endpoint.unix(path: "\(directory)/.s.PGSQL.5432").connect()
    }

    private func isReadable(_ descriptor: CInt, within milliseconds: CInt) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, milliseconds) > 0
    }
}
