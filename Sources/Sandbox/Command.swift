package import Glibc

/// Runs a program to its end and collects what it printed. Blocks the calling thread.
///
/// The program sees a small fixed environment, no open file but its standard ones, default signal handling
/// and a session of its own, so nothing that it leaves running holds on to our terminal or pipes.
package struct Command {
    package struct Result: Equatable, Sendable {
        /// The exit status; 128 + n if signal n ended it.
        package let status: CInt
        /// Standard output and standard error together.
        package let output: String
    }

    package var arguments: [String]
    package var account: ServerAccount
    package var environment: [String: String] = [:]

    package init(_ arguments: [String], as account: ServerAccount, environment: [String: String] = [:]) {
        self.arguments = arguments
        self.account = account
        self.environment = environment
    }

    package func run() throws(SandboxError) -> Result {
        let pipe = try Pipe()
        defer { pipe.close() }
        let pid = try spawn(output: pipe.writeEnd)
        pipe.closeWriteEnd()
        let output = pipe.readToEnd()
        return Result(status: Self.wait(for: pid), output: output)
    }

    /// Like `run`, but a status other than 0 is an error.
    @discardableResult
    package func runChecked() throws(SandboxError) -> String {
        let result = try run()
        guard result.status == 0 else {
            throw .programFailed(program: arguments[0], status: result.status, output: result.output)
        }
        return result.output
    }

    // The shell is there to leave the caller's working directory, which the account may not be able to enter.
    private var fullArguments: [String] {
        account.wrap(["/bin/sh", "-c", "cd / && exec \"$@\"", "sh"] + arguments)
    }

    private func spawn(output: CInt) throws(SandboxError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        for descriptor in Self.openDescriptors() where descriptor > 2 {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        Self.prepare(&attributes, ownSession: true)

        let arguments = CStringArray(fullArguments)
        let variables = CStringArray(Self.variables(adding: environment))
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, fullArguments[0], &actions, &attributes, arguments.pointers, variables.pointers)
        guard code == 0 else { throw .cannotRun(program: fullArguments[0], errno: code) }
        return pid
    }

    /// Signals as a terminal's foreground process has them, whatever this process inherited; if asked, a session of its
    /// own.
    package static func prepare(_ attributes: inout posix_spawnattr_t, ownSession: Bool) {
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        let newSession: CInt = 0x80  // POSIX_SPAWN_SETSID, which Swift's Glibc module does not show
        let flags = CInt(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) | (ownSession ? newSession : 0)
        posix_spawnattr_setflags(&attributes, Int16(flags))
    }

    /// PostgreSQL's own variables (PGHOST, PGDATA, …) and the user's locale must not leak into a server of ours.
    private static func variables(adding more: [String: String]) -> [String] {
        var all = ["LC_ALL": "C", "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"]
        for name in ["PATH", "TZ"] {
            if let value = getenv(name) { all[name] = String(cString: value) }
        }
        all.merge(more) { _, new in new }
        return all.map { "\($0.key)=\($0.value)" }
    }

    private static func openDescriptors() -> [CInt] {
        FileTree.names(in: "/proc/self/fd").compactMap { CInt($0) }
    }

    private static func wait(for pid: pid_t) -> CInt {
        var status: CInt = 0
        while waitpid(pid, &status, 0) < 0 {
            guard errno == EINTR else { return -1 }
        }
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal
    }
}

/// A null-terminated `char *[]` for the length of its life.
private final class CStringArray {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ strings: [String]) {
        count = strings.count
        pointers = .allocate(capacity: count + 1)
        for (index, string) in strings.enumerated() {
            pointers[index] = strdup(string)
        }
        pointers[count] = nil
    }

    deinit {
        for index in 0..<count {
            free(pointers[index])
        }
        pointers.deallocate()
    }
}
