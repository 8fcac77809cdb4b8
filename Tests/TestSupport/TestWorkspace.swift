import Glibc
package import Sandbox
import Synchronization

/// The directory that holds all servers and sockets of one test process.
///
/// A shell waits beside the tests; when their process ends, however it ends, it stops the servers and removes the
/// directory.
package final class TestWorkspace: Sendable {
    package let directory: String
    package let account: ServerAccount
    package let binaries: PostgresBinaries
    private let counter = Atomic(0)

    private static let current = Mutex<TestWorkspace?>(nil)

    package static func shared() throws -> TestWorkspace {
        try current.withLock { current in
            if let current { return current }
            let made = try TestWorkspace()
            current = made
            return made
        }
    }

    private init() throws {
        account = try ServerAccount.current()
        binaries = try PostgresBinaries.find()
        var template = Array("/tmp/replhost-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw SandboxError.file(operation: "create", path: "/tmp", errno: errno)
        }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard chown(directory, account.userID, account.groupID) == 0 else {
            throw SandboxError.file(operation: "change the owner of", path: directory, errno: errno)
        }
        try startWatch()
    }

    /// A new private directory.
    package func makeDirectory(_ prefix: String) throws -> String {
        let path = "\(directory)/\(prefix)\(nextNumber())"
        try FileTree.makePrivateDirectory(path, for: account)
        return path
    }

    /// 1, 2, 3, …
    package func nextNumber() -> Int {
        counter.add(1, ordering: .relaxed).newValue
    }

    private func startWatch() throws {
        let fifo = directory + "/alive"
        guard mkfifo(fifo, 0o600) == 0 else {
            throw SandboxError.file(operation: "create", path: fifo, errno: errno)
        }
        // Held open, and by no child, until this process ends: then the shell's read ends, too.
        guard open(fifo, O_RDWR | O_CLOEXEC) >= 0 else {
            throw SandboxError.file(operation: "open", path: fifo, errno: errno)
        }
        let script = """
            { read -r _ <"$1/alive"
              find "$1" -name postmaster.pid | while read -r file; do kill -QUIT "$(head -n 1 "$file")"; done
              sleep 0.5
              rm -rf "$1"
            } >/dev/null 2>&1 &
            """
        try Command(["/bin/sh", "-c", script, "sh", directory], as: .caller).runChecked()
    }
}
