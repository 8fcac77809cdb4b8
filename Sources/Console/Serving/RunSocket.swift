@preconcurrency import Glibc
import Sandbox

/// The Unix socket on which a run tells its own user of itself: one for each process, which nobody else may open.
enum RunSocket {
    private static let suffix = ".sock"
    /// Of a socket's path, with the zero at its end.
    private static let longestPath = 108

    /// Where this user's runs have their sockets; made if it is not there. Nil if there is no place for them.
    static func directory() -> String? {
        candidates.first { path in
            guard path.utf8.count + "/4194304\(suffix)".utf8.count < longestPath else { return false }
            try? FileTree.makeDirectories(path, mode: 0o700)
            return isPrivate(path)
        }
    }

    /// Of this process.
    static func path() -> String? { directory().map { "\($0)/\(getpid())\(suffix)" } }

    /// Takes away what processes have left that were killed.
    static func clean() {
        for path in all() {
            let name = path.split(separator: "/").last?.dropLast(suffix.count) ?? ""
            if let pid = pid_t(name), kill(pid, 0) != 0, errno == ESRCH { unlink(path) }
        }
    }

    /// Those that may be alive.
    static func all() -> [String] {
        guard let directory = directory() else { return [] }
        return FileTree.names(in: directory).filter { $0.hasSuffix(suffix) }.sorted().map { "\(directory)/\($0)" }
    }

    private static var candidates: [String] {
        [
            UserDirectory.runtime.path.map { $0 + "/replhost" }, UserDirectory.state.path.map { $0 + "/replhost/run" },
            "/tmp/replhost-\(geteuid())",
        ].compactMap(\.self)
    }

    private static func isPrivate(_ path: String) -> Bool {
        var facts = stat()
        guard lstat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR, facts.st_uid == geteuid() else {
            return false
        }
        return facts.st_mode & 0o077 == 0 || chmod(path, 0o700) == 0
    }
}
