import Testing

@testable import Console

@Suite struct AccessPolicyTests {
    @Test(arguments: ["localhost:9187", "127.0.0.1", "[::1]:9187", "127.0.0.1:80"])
    func namesOfThisMachineAreAnswered(host: String) {
        #expect(AccessPolicy.loopback.judge(host: host, authorization: nil) == .allowed)
    }

    @Test(arguments: ["evil.example:9187", "127.0.0.1.evil.example", nil] as [String?])
    func otherNamesAreNot(host: String?) {
        #expect(AccessPolicy.loopback.judge(host: host, authorization: nil) == .wrongHost)
    }

    @Test(arguments: ["Bearer secret", "bearer secret", "Basic dXNlcjpzZWNyZXQ=", "Basic OnNlY3JldA=="])
    func whoKnowsTheTokenIsAnswered(authorization: String) {
        #expect(AccessPolicy.token("secret").judge(host: "any", authorization: authorization) == .allowed)
    }

    @Test(
        arguments: [
            nil, "", "Bearer", "Bearer secre", "Bearer secrets", "Bearer SECRET", "Basic secret",
            "Basic dXNlcjp3cm9uZw==",
            "Digest secret",
        ] as [String?]) func whoDoesNotIsAskedForIt(authorization: String?)
    {
        #expect(AccessPolicy.token("secret").judge(host: "localhost", authorization: authorization) == .needsToken)
    }
}
