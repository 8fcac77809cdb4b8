import Foundation
import TestSupport
import Testing

/// A terminal without a screen: what is typed goes to the program that runs on it, what it shows is kept.
final class ConsoleTerminal {
    /// Of the program's side.
    let path: String
    private let descriptor: CInt
    private var bytes: [UInt8] = []

    init() throws {
        descriptor = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(descriptor >= 0)
        // What grantpt, unlockpt and ptsname do, which Swift's Glibc module does not show.
        let unlock: UInt = 0x4004_5431  // TIOCSPTLCK
        let getNumber: UInt = 0x8004_5430  // TIOCGPTN
        var isLocked: CInt = 0
        var number: CInt = 0
        let wasMade = ioctl(descriptor, unlock, &isLocked) == 0 && ioctl(descriptor, getNumber, &number) == 0
        path = "/dev/pts/\(number)"
        try #require(wasMade)
        try #require(fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0)
    }

    deinit { close(descriptor) }

    func type(_ text: String) {
        _ = text.withCString { write(descriptor, $0, strlen($0)) }
    }

    /// Waits until the terminal has shown this text since the last one that was waited for.
    func expect(_ text: String, _ location: SourceLocation = #_sourceLocation) async {
        let wasShown = await eventually(within: .seconds(20)) {
            drain()
            guard let range = String(decoding: bytes, as: UTF8.self).range(of: text) else { return false }
            let shown = String(decoding: bytes, as: UTF8.self)
            bytes = Array(shown[range.upperBound...].utf8)
            return true
        }
        #expect(
            wasShown, "waiting for \(text), it shows: \(String(decoding: bytes, as: UTF8.self))",
            sourceLocation: location)
    }

    /// The word that comes next, once a blank follows it.
    func word() async -> String {
        var word = ""
        _ = await eventually(within: .seconds(20)) {
            drain()
            let shown = String(decoding: bytes, as: UTF8.self)
            guard let end = shown.firstIndex(where: \.isWhitespace) else { return false }
            word = String(shown[..<end])
            return true
        }
        return word
    }

    private func drain() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return }
            bytes += buffer[..<count]
        }
    }
}
