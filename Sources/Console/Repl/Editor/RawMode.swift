@preconcurrency import Glibc
import Synchronization

/// The terminal behind standard input: keys one by one while somebody edits, lines and signals at all other times.
final class RawMode: Sendable {
    static let shared = RawMode()

    /// How the terminal was before.
    private let saved = Mutex<termios?>(nil)

    func enter() {
        saved.withLock { saved in
            var mode = termios()
            guard saved == nil, tcgetattr(STDIN_FILENO, &mode) == 0 else { return }
            saved = mode
            mode.c_iflag &= ~tcflag_t(BRKINT | ICRNL | INPCK | ISTRIP | IXON)
            mode.c_lflag &= ~tcflag_t(ECHO | ICANON | IEXTEN | ISIG)
            withUnsafeMutableBytes(of: &mode.c_cc) { characters in
                characters[Int(VMIN)] = 1
                characters[Int(VTIME)] = 0
            }
            tcsetattr(STDIN_FILENO, TCSADRAIN, &mode)
        }
    }

    func leave() {
        saved.withLock { saved in
            guard var mode = saved else { return }
            tcsetattr(STDIN_FILENO, TCSADRAIN, &mode)
            saved = nil
        }
    }

    /// Before the process ends, whatever it was doing.
    func restore() {
        let wasRaw = saved.withLock { $0 != nil }
        leave()
        if wasRaw { Terminal.writeAtOnce("\u{1B}[?2004l\r\n") }
    }
}
