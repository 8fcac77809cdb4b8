import FoundationEssentials

/// Who may ask.
enum AccessPolicy: Sendable {
    /// Whoever can open the socket's file.
    case file
    /// Whoever is on this machine.
    case loopback
    /// Whoever knows the token.
    case token(String)

    enum Verdict: Equatable {
        case allowed
        case needsToken
        case wrongHost
    }

    /// - Parameters:
    ///   - host: the header "Host".
    ///   - authorization: the header "Authorization".
    func judge(host: String?, authorization: String?) -> Verdict {
        switch self {
        case .file: return .allowed
        case .loopback:
            // A page from elsewhere, whose name leads here, must not read along in somebody's browser.
            return host.map { ListenAddress.isLoopback(Self.name(of: $0)) } == true ? .allowed : .wrongHost
        case .token(let token):
            guard let given = authorization.flatMap(Self.token) else { return .needsToken }
            return Self.isEqual(given, token) ? .allowed : .needsToken
        }
    }

    private static func name(of host: String) -> String {
        if host.hasPrefix("[") { return String(host.dropFirst().prefix { $0 != "]" }) }
        return String(host.prefix { $0 != ":" })
    }

    /// Of "Bearer TOKEN", or as the password of "Basic …", which browsers ask for by themselves.
    private static func token(in authorization: String) -> String? {
        let words = authorization.split(separator: " ", maxSplits: 1)
        guard words.count == 2 else { return nil }
        switch words[0].lowercased() {
        case "bearer": return String(words[1])
        case "basic":
            guard let data = Data(base64Encoded: String(words[1])) else { return nil }
            return String(decoding: data, as: UTF8.self).split(
                separator: ":", maxSplits: 1, omittingEmptySubsequences: false
            ).dropFirst().first
                .map(String.init)
        default: return nil
        }
    }

    /// In a time that tells nothing of where they differ.
    private static func isEqual(_ given: String, _ token: String) -> Bool {
        let (left, right) = (Array(given.utf8), Array(token.utf8))
        var difference = left.count ^ right.count
        for index in right.indices { difference |= Int(right[index] ^ (index < left.count ? left[index] : 0)) }
        return difference == 0
    }
}
