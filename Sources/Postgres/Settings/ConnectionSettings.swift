/// Where and how to connect: libpq's keywords with their values, checked when they are set.
///
/// What is not set comes from libpq's own sources, in its order: service file, `PG…` environment variables,
/// password file, compiled-in defaults. Neither `description` nor any error shows a password.
package struct ConnectionSettings: Sendable, Hashable {
    /// Keyword → value, aliases resolved (`database` is `dbname`).
    private(set) var values: [String: String] = [:]

    /// No setting at all: everything from libpq's own sources.
    package init() {}

    /// From a URL (`postgresql://…`) or a conninfo string (`host=… dbname=…`).
    package init(_ text: String) throws(PostgresError) {
        for (keyword, value) in try ConnectionString.parse(text) { try set(keyword, to: value) }
    }

    /// From keywords with their values, as in `["host": "db", "port": "5432"]`.
    package init(keywords: [String: String]) throws(PostgresError) {
        for (keyword, value) in keywords.sorted(by: { $0.key < $1.key }) { try set(keyword, to: value) }
    }

    /// The value that was set, nil if none was. Aliases as in `set`.
    package subscript(keyword: String) -> String? { values[ConnectionKeyword.canonical(keyword)] }

    /// Sets one of libpq's keywords, or one of the aliases `database`, `username`, `pass`; nil takes it back.
    package mutating func set(_ keyword: String, to value: String?) throws(PostgresError) {
        let name = ConnectionKeyword.canonical(keyword)
        guard ConnectionKeyword.all.contains(name) else {
            throw .unknownSetting(name: keyword, known: ConnectionKeyword.names)
        }
        if let value { try ConnectionKeyword.check(name, value) }
        values[name] = value
    }

    /// Values of `other` where it has one, else those of `self`.
    package func merging(_ other: ConnectionSettings) -> ConnectionSettings {
        var merged = self
        merged.values.merge(other.values) { _, new in new }
        return merged
    }
}

extension ConnectionSettings {
    /// What libpq gets. Defaults of ours where neither the caller nor the environment chose:
    /// - `fallback_application_name=replhost`
    /// - keepalives: a silent peer is probed after 30 s, every 10 s, at most 3 times
    /// - `tcp_user_timeout` 90 s: sent data may stay unacknowledged, or unread by a server that waits for a lock
    ///   while its buffers are full, for that long. It also replaces the number of keepalive probes.
    /// `client_encoding` is always UTF8: values are the same on every path.
    var startParameters: [(keyword: String, value: String)] {
        var all = Self.defaults.merging(values) { _, chosen in chosen }
        all["client_encoding"] = "UTF8"
        return all.sorted { $0.key < $1.key }.map { (keyword: $0.key, value: $0.value) }
    }

    private static let defaults = [
        "fallback_application_name": "replhost",
        "keepalives_idle": "30",
        "keepalives_interval": "10",
        "keepalives_count": "3",
        "tcp_user_timeout": "90000",
    ]

    /// Seconds allowed for one address: `connect_timeout`, 10 s if it is not set, nil (no limit) for 0 or less.
    var connectTimeout: Duration? {
        guard let text = self["connect_timeout"] else { return .seconds(10) }
        guard let seconds = Int(text), seconds > 0 else { return nil }
        return .seconds(seconds)
    }

    /// More than one host: libpq looks the later ones up while it polls.
    var hasSeveralHosts: Bool { (self["host"] ?? self["hostaddr"] ?? "").contains(",") || self["service"] != nil }

    /// The same settings with only the hosts that come after this one in the list; nil if there are none.
    func skippingHosts(through host: String, port: String) -> ConnectionSettings? {
        let hosts = Self.list(self["host"])
        let addresses = Self.list(self["hostaddr"])
        let ports = Self.list(self["port"])
        let names = hosts.isEmpty ? addresses : hosts
        let position = names.indices.first { index in
            names[index] == host && (ports.count <= 1 || ports[index] == port || ports[index].isEmpty)
        }
        guard let position, position + 1 < names.count else { return nil }
        var rest = self
        for (keyword, list) in [("host", hosts), ("hostaddr", addresses), ("port", ports)] where list.count > 1 {
            rest.values[keyword] = list[(position + 1)...].joined(separator: ",")
        }
        return rest
    }

    private static func list(_ value: String?) -> [String] {
        value.map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) } ?? []
    }

    /// `text` without the passwords of these settings.
    func redacted(_ text: String) -> String {
        var result = text
        for keyword in ConnectionKeyword.secrets {
            guard let secret = values[keyword], !secret.isEmpty else { continue }
            result = result.replacing(secret, with: "***")
        }
        return result
    }
}

extension ConnectionSettings: CustomStringConvertible {
    /// Conninfo form, sorted by keyword; passwords as `***`.
    package var description: String {
        values.sorted { $0.key < $1.key }
            .map { "\($0.key)=\(ConnectionKeyword.secrets.contains($0.key) ? "***" : Self.quoted($0.value))" }
            .joined(separator: " ")
    }

    private static func quoted(_ value: String) -> String {
        guard value.isEmpty || value.contains(where: { $0.isWhitespace || $0 == "'" || $0 == "\\" }) else {
            return value
        }
        return "'" + value.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
    }
}
