@preconcurrency import Glibc
import Sandbox

/// A program that people have chosen: pager, editor. It gets the terminal.
struct ShellCommand {
    private let command: String

    init(_ command: String) { self.command = command }

    /// Runs it to its end; false if that was a failure.
    func run() -> Bool {
        guard let (pid, _) = start(withInput: false) else { return false }
        return Self.wait(for: pid) == 0
    }

    /// Its process, and the end of a pipe that is its input if it gets one (else -1).
    func start(withInput: Bool) -> (pid_t, CInt)? {
        var ends: [CInt] = [-1, -1]
        if withInput {
            guard pipe(&ends) == 0 else { return nil }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        }
        defer { if withInput { close(ends[0]) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if withInput { posix_spawn_file_actions_adddup2(&actions, ends[0], 0) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        Command.prepare(&attributes, ownSession: false)
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/sh"), strdup("-c"), strdup(command), nil]
        defer { for argument in arguments { free(argument) } }
        var pid: pid_t = 0
        guard posix_spawn(&pid, "/bin/sh", &actions, &attributes, &arguments, environ) == 0 else {
            if withInput { close(ends[1]) }
            return nil
        }
        return (pid, ends[1])
    }

    @discardableResult
    static func wait(for pid: pid_t) -> CInt {
        var status: CInt = 0
        while waitpid(pid, &status, 0) < 0 {
            guard errno == EINTR else { return -1 }
        }
        return status
    }
}
