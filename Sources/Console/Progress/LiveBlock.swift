@preconcurrency import Glibc
import Scripting
import Synchronization

/// Lines at the end of the terminal that are drawn anew again and again.
///
/// The cursor rests on an empty line above them: what anybody else writes goes there and stays, and a window that
/// changes its size takes nothing along that the next drawing does not clear.
final class LiveBlock: Sendable {
    static let shared = LiveBlock()

    private let lines = Mutex<[String]>([])
    private let isShown = Atomic(false)

    /// None of the lines may be as wide as the window.
    func draw(_ new: [String]) {
        lines.withLock { lines in
            if lines.isEmpty, new.isEmpty { return }
            if lines.isEmpty, !new.isEmpty { ScriptLog.output.surround { LiveBlock.shared.aside($0) } }
            lines = new
            isShown.store(!new.isEmpty, ordering: .relaxed)
            Terminal.writeErrorAtOnce(Self.drawing(new))
        }
    }

    func clear() {
        lines.withLock { lines in
            Terminal.writeErrorAtOnce(erasure)
            lines = []
            isShown.store(false, ordering: .relaxed)
            ScriptLog.output.surround(nil)
        }
    }

    /// Writes whole lines to the terminal above the block, if there is one.
    func aside(_ write: () -> Void) {
        lines.withLock { lines in
            if !lines.isEmpty { Terminal.writeErrorAtOnce(erasure) }
            write()
            if !lines.isEmpty { Terminal.writeErrorAtOnce(Self.drawing(lines)) }
        }
    }

    /// What takes the block off the terminal; may be asked for at any time, by anybody.
    var erasure: String { isShown.load(ordering: .relaxed) ? "\r\u{1B}[J" : "" }

    /// From the cursor's line down, and back to it.
    static func drawing(_ lines: [String]) -> String {
        guard !lines.isEmpty else { return "\r\u{1B}[J" }
        return "\u{1B}[K" + lines.map { "\n\r\($0)\u{1B}[K" }.joined() + "\u{1B}[J\u{1B}[\(lines.count)A\r"
    }
}
