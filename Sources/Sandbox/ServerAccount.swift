import Glibc

/// The user a server runs as: ourselves, or an unprivileged one when we are root, since PostgreSQL refuses root.
package struct ServerAccount: Equatable, Sendable {
    package let userID: UInt32
    package let groupID: UInt32
    /// True if commands have to change to this user first.
    package let differsFromCaller: Bool

    private static let candidates = ["postgres", "nobody"]

    /// Ourselves, for commands that are no servers.
    package static var caller: ServerAccount {
        ServerAccount(userID: geteuid(), groupID: getegid(), differsFromCaller: false)
    }

    /// Whom servers run as.
    package static func current() throws(SandboxError) -> ServerAccount {
        guard geteuid() == 0 else { return caller }
        for name in candidates {
            if let found = find(name) { return found }
        }
        throw .noUnprivilegedUser(tried: candidates)
    }

    /// The arguments that run `command` as this user.
    func wrap(_ command: [String]) -> [String] {
        guard differsFromCaller else { return command }
        return ["setpriv", "--reuid=\(userID)", "--regid=\(groupID)", "--init-groups", "--"] + command
    }

    private static func find(_ name: String) -> ServerAccount? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 4096)
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        return ServerAccount(userID: entry.pw_uid, groupID: entry.pw_gid, differsFromCaller: true)
    }
}
