import Glibc

/// The processes of one server, found by their working directory: each of them works in the data directory.
///
/// A process id alone proves nothing, since another process may have got it after a crash or a reboot.
struct ServerProcesses {
    private let dataDirectory: String

    init(dataDirectory: String) {
        self.dataDirectory = FileTree.resolved(dataDirectory)
    }

    func contains(_ pid: Int32) -> Bool {
        FileTree.linkTarget(of: "/proc/\(pid)/cwd") == dataDirectory
    }

    func all() -> [Int32] {
        FileTree.names(in: "/proc").compactMap { Int32($0) }.filter { contains($0) }
    }

    func kill(_ signal: CInt) {
        for pid in all() {
            _ = Glibc.kill(pid, signal)
        }
    }

    /// True if the process runs, wherever; a zombie does not run.
    static func isRunning(_ pid: Int32) -> Bool {
        guard let line = FileTree.read("/proc/\(pid)/stat"), let name = line.lastIndex(of: ")") else { return false }
        let state = line[name...].dropFirst(2).first
        return state != "Z" && state != "X"
    }
}
