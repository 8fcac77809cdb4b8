import Foundation
import Sandbox
import TestSupport
import Testing

/// The built program as a user runs it: a process of its own, whose output goes into files.
///
/// It is killed when this is released.
final class ConsoleProcess {
    let pid: pid_t
    private let directory: String
    private var status: Int32?

    struct Output: Equatable {
        var status: Int32
        var output: String
        var errors: String
    }

    /// Starts the program, or another one. `input` is a file; `output` is a descriptor, else a file that `printed` shows.
    init(
        _ arguments: [String], of program: String = executable, input: String = "/dev/null", output: CInt? = nil,
        environment: [String: String] = [:]
    ) throws {
        directory = try TestWorkspace.shared().makeDirectory("console")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let flags = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        if let output {
            posix_spawn_file_actions_adddup2(&actions, output, 1)
        } else {
            posix_spawn_file_actions_addopen(&actions, 1, directory + "/output", flags, 0o600)
        }
        posix_spawn_file_actions_addopen(&actions, 2, directory + "/errors", flags, 0o600)
        pid = try Self.spawn([program] + arguments, &actions, environment)
    }

    /// Starts the program in a session of its own, with the terminal at this path for all its streams.
    init(
        _ arguments: [String], onTerminal path: String, kind: String = "dumb", environment: [String: String] = [:]
    ) throws {
        directory = try TestWorkspace.shared().makeDirectory("console")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, path, O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, 0, 1)
        posix_spawn_file_actions_adddup2(&actions, 0, 2)
        let variables = environment.merging(["TERM": kind]) { _, kind in kind }
        pid = try Self.spawn([Self.executable] + arguments, &actions, variables, ownSession: true)
    }

    private static func spawn(
        _ arguments: [String], _ actions: inout posix_spawn_file_actions_t, _ environment: [String: String],
        ownSession: Bool = false
    ) throws -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        Command.prepare(&attributes, ownSession: ownSession)
        defer { posix_spawnattr_destroy(&attributes) }
        let argv = arguments.map { strdup($0) } + [nil]
        let variables = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        let envp = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, arguments[0], &actions, &attributes, argv, envp)
        try #require(code == 0, "cannot run \(arguments[0]): build the product \"replhost\" first")
        return pid
    }

    deinit {
        guard status == nil else { return }
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    /// Runs the program to its end with `input` on its standard input.
    static func run(
        _ arguments: String..., input: String? = nil, environment: [String: String] = [:]
    ) async throws -> Output {
        let file = try input.map { try makeFile("input", $0) }
        let process = try ConsoleProcess(arguments, input: file ?? "/dev/null", environment: environment)
        return try await process.finished()
    }

    /// A new file, in a directory of its own.
    static func makeFile(_ name: String, _ text: String) throws -> String {
        let path = try TestWorkspace.shared().makeDirectory("script") + "/" + name
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    /// Does not wait.
    var isOver: Bool { hasEnded() }

    var printed: String { text("output") }
    var errors: String { text("errors") }

    func signal(_ number: CInt) {
        kill(pid, number)
    }

    /// Waits for its end.
    func finished(within patience: Duration = .seconds(30)) async throws -> Output {
        let ended = await eventually(within: patience) { hasEnded() }
        try #require(ended, "still running; it printed: \(printed)\(errors)")
        return Output(status: status ?? -1, output: printed, errors: errors)
    }

    private func hasEnded() -> Bool {
        var raw: CInt = 0
        guard status == nil, waitpid(pid, &raw, WNOHANG) == pid else { return status != nil }
        let signal = raw & 0x7f
        status = signal == 0 ? (raw >> 8) & 0xff : 128 + signal
        return true
    }

    private func text(_ name: String) -> String {
        guard let file = fopen(directory + "/" + name, "r") else { return "" }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The program is built into the directory of the tests.
    static let executable: String = {
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return (tests as NSString).deletingLastPathComponent + "/replhost"
    }()
}
