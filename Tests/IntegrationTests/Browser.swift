import Foundation
import Sandbox
import TestSupport
import Testing

/// Chromium without a window, asked through its DevTools protocol over two pipes. It ends when this is released.
final class Browser {
    /// An answer, or an event, which has no `id`.
    private struct Message: Decodable {
        struct Failure: Decodable { var message: String }
        var id: Int?
        var method: String?
        var error: Failure?
    }

    private struct Reply<Result: Decodable>: Decodable { var result: Result }

    private static let programs = ["chromium-headless-shell", "chromium"]

    private let pid: pid_t
    private let toBrowser: CInt
    private let fromBrowser: CInt
    private var received: [UInt8] = []
    private var lastID = 0
    /// Uncaught errors of scripts, and what the page's own rules kept from running.
    private(set) var complaints: [String] = []

    init() throws {
        let directory = try TestWorkspace.shared().makeDirectory("browser")
        let (input, output) = (try Self.makePipe(), try Self.makePipe())
        defer { for descriptor in [input.reading, output.writing] { close(descriptor) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in 0...2 as ClosedRange<CInt> {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        // Where the protocol has them.
        posix_spawn_file_actions_adddup2(&actions, input.reading, 3)
        posix_spawn_file_actions_adddup2(&actions, output.writing, 4)
        pid = try Self.spawn(in: directory, &actions)
        toBrowser = input.writing
        fromBrowser = output.reading
        _ = fcntl(fromBrowser, F_SETFL, O_NONBLOCK)
    }

    deinit {
        for descriptor in [toBrowser, fromBrowser] { close(descriptor) }
        // With its children, which are in its session.
        kill(-pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    private static func spawn(in directory: String, _ actions: inout posix_spawn_file_actions_t) throws -> pid_t {
        let path = try #require(
            programs.map { "/usr/bin/" + $0 }.first { access($0, X_OK) == 0 }, "no Chromium: run scripts/setup")
        let arguments = [
            path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe",
            "--user-data-dir=\(directory)", "about:blank",
        ]
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        Command.prepare(&attributes, ownSession: true)
        let argv = arguments.map { strdup($0) } + [nil]
        let variables = ["PATH=/usr/bin:/bin", "HOME=\(directory)", "TZ=UTC"]
        let envp = variables.map { strdup($0) } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, path, &actions, &attributes, argv, envp)
        try #require(code == 0, "cannot run \(path)")
        return pid
    }

    /// Its ends are left to no other program that a test starts, and are neither 3 nor 4.
    private static func makePipe() throws -> (reading: CInt, writing: CInt) {
        var ends: [CInt] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        return (fcntl(ends[0], F_DUPFD_CLOEXEC, 10), fcntl(ends[1], F_DUPFD_CLOEXEC, 10))
    }

    /// Asks for one thing; its answer.
    func ask<Result: Decodable>(
        _ method: String, _ parameters: [String: Any] = [:], session: String? = nil, as kind: Result.Type
    ) async throws -> Result {
        lastID += 1
        var request: [String: Any] = ["id": lastID, "method": method, "params": parameters]
        request["sessionId"] = session
        let text = try [UInt8](JSONSerialization.data(withJSONObject: request)) + [0]
        try #require(write(toBrowser, text, text.count) == text.count, "the browser has ended")
        let answer = try await answer(to: lastID)
        return try JSONDecoder().decode(Reply<Result>.self, from: answer).result
    }

    private func answer(to id: Int) async throws -> Data {
        var answer: Data?
        _ = try await eventually(within: .seconds(30)) {
            while answer == nil, let data = nextMessage() {
                let message = try JSONDecoder().decode(Message.self, from: data)
                if message.id == id {
                    try #require(message.error == nil, "\(message.error?.message ?? "")")
                    answer = data
                } else {
                    note(message, data)
                }
            }
            return answer != nil
        }
        return try #require(answer, "the browser does not answer")
    }

    private func note(_ message: Message, _ data: Data) {
        let text = String(decoding: data, as: UTF8.self)
        let isComplaint = message.method == "Runtime.exceptionThrown" || text.contains("Content Security Policy")
        if isComplaint { complaints.append(text) }
    }

    private func nextMessage() -> Data? {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(fromBrowser, &buffer, buffer.count), count > 0 { received += buffer[..<count] }
        guard let end = received.firstIndex(of: 0) else { return nil }
        defer { received.removeFirst(end + 1) }
        return Data(received[..<end])
    }
}
