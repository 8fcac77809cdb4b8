import Testing

@testable import Console

@Suite struct ListenAddressTests {
    @Test(arguments: [
        ("127.0.0.1:9187", "127.0.0.1", 9187), (":9187", "127.0.0.1", 9187), ("[::1]:0", "::1", 0),
        ("localhost:80", "localhost", 80), ("0.0.0.0:65535", "0.0.0.0", 65535),
    ]) func readsHostAndPort(text: String, host: String, port: Int) throws {
        let address = try #require(ListenAddress(argument: text))

        #expect(address.host == host)
        #expect(address.port == port)
    }

    @Test(arguments: ["9187", "localhost", "localhost:", "localhost:x", "localhost:65536", "::1:80", ""])
    func refusesOtherThings(text: String) {
        #expect(ListenAddress(argument: text) == nil)
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.8.9.10", true), ("localhost", true), ("a.LOCALHOST", true), ("::1", true),
        ("0.0.0.0", false), ("127.evil.com", false), ("127.0.0.1.evil.com", false), ("example.com", false),
        ("::", false),
    ]) func knowsTheLoopback(host: String, isLoopback: Bool) {
        #expect(ListenAddress.isLoopback(host) == isLoopback)
    }
}
