@preconcurrency import Glibc
import Scripting

/// Results as they are, on standard output or in a file of one's own.
final class PlainOutput: ResultSink {
    private let descriptor: CInt

    /// What was printed before comes first.
    init(to descriptor: CInt = STDOUT_FILENO) {
        self.descriptor = descriptor
        Terminal.flush()
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> Bool { Terminal.writeAtOnce(bytes, to: descriptor) }
}
