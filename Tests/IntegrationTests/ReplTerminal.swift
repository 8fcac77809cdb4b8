import Foundation
import TestSupport
import Testing

/// A prompt on a terminal with a screen: keys go in, and what is waited for is what somebody would see.
final class ReplTerminal {
    let process: ConsoleProcess
    private let descriptor: CInt
    private var screen: ReplScreen
    /// Everything that was written, escape sequences included.
    private(set) var bytes: [UInt8] = []

    /// Starts `replhost repl`, or another command, with a home of its own.
    init(
        _ arguments: [String], command: String = "repl", width: Int = 80, height: Int = 24,
        environment: [String: String] = [:]
    ) throws {
        descriptor = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(descriptor >= 0)
        // What grantpt, unlockpt and ptsname do, which Swift's Glibc module does not show.
        var isLocked: CInt = 0
        var number: CInt = 0
        let wasMade =
            ioctl(descriptor, UInt(0x4004_5431), &isLocked) == 0 && ioctl(descriptor, UInt(0x8004_5430), &number) == 0
        try #require(wasMade)
        try #require(fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0)
        screen = ReplScreen(width: width, height: height)
        Self.setSize(descriptor, width, height)
        let home = try TestWorkspace.shared().makeDirectory("home")
        var all = [
            "HOME": home, "XDG_STATE_HOME": home, "XDG_CONFIG_HOME": home, "PAGER": "", "LANG": "C.UTF-8",
            "NO_COLOR": "",
        ]
        all.merge(environment) { _, new in new }
        process = try ConsoleProcess(
            [command] + arguments, onTerminal: "/dev/pts/\(number)", kind: "xterm", environment: all)
    }

    deinit { close(descriptor) }

    /// On the shared server, in a database of its own, once the prompt is there.
    static func onDatabase(
        _ setup: String = "", width: Int = 80, height: Int = 24, environment: [String: String] = [:]
    ) async throws -> (terminal: ReplTerminal, dsn: String) {
        let server = try TestServer.shared()
        let dsn = try server.makeDatabase()
        if !setup.isEmpty { try server.run(setup, in: dsn) }
        let terminal = try ReplTerminal([dsn], width: width, height: height, environment: environment)
        await terminal.expectPrompt()
        return (terminal, dsn)
    }

    // MARK: Keys

    func type(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 { rest = rest.dropFirst(count) } else { drain() }
        }
    }

    func enter(_ text: String) { type(text + "\r") }

    func paste(_ text: String) { type("\u{1B}[200~\(text)\u{1B}[201~") }

    static let up = "\u{1B}[A"
    static let left = "\u{1B}[D"
    static let home = "\u{1B}[H"

    func resize(width: Int, height: Int) {
        drain()
        screen.resize(width: width, height: height)
        Self.setSize(descriptor, width, height)
    }

    private static func setSize(_ descriptor: CInt, _ width: Int, _ height: Int) {
        var size = winsize(ws_row: UInt16(height), ws_col: UInt16(width), ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(descriptor, UInt(TIOCSWINSZ), &size)
    }

    // MARK: The screen

    var visible: String {
        drain()
        return screen.visible
    }

    /// What is written between the prompt and the cursor is not there: it waits for a statement.
    func expectPrompt(_ sign: String = "=> ", _ location: SourceLocation = #_sourceLocation) async {
        await expect("a prompt \"\(sign)\"", location) { $0.beforeCursor.hasSuffix(sign) }
    }

    /// Waits until the text can be seen.
    func expect(_ text: String, _ location: SourceLocation = #_sourceLocation) async {
        await expect(text, location) { $0.visible.contains(text) }
    }

    /// Waits until what stands before the cursor ends like this.
    func expectTyped(_ text: String, _ location: SourceLocation = #_sourceLocation) async {
        await expect("\(text) before the cursor", location) { $0.beforeCursor.hasSuffix(text) }
    }

    func expect(
        _ what: String, _ location: SourceLocation = #_sourceLocation, _ condition: (ReplScreen) -> Bool
    ) async {
        let wasSeen = await eventually(within: .seconds(30)) {
            drain()
            return condition(screen)
        }
        #expect(wasSeen, "waiting for \(what), the screen shows:\n\(screen.visible)", sourceLocation: location)
    }

    /// Leaves, and waits for the end.
    func leave() async throws -> Int32 {
        type("\u{4}")
        let ended = await eventually(within: .seconds(30)) {
            drain()
            return process.isOver
        }
        try #require(ended)
        return try await process.finished().status
    }

    private func drain() {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return }
            bytes += buffer[..<count]
            screen.feed(buffer[..<count])
        }
    }
}
