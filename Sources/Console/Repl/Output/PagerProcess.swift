@preconcurrency import Glibc

/// `$PAGER`, with a pipe to its input.
final class PagerProcess: Sendable {
    private let pid: pid_t
    private let descriptor: CInt

    init?(_ command: String) {
        guard let started = ShellCommand(command).start(withInput: true) else { return nil }
        (pid, descriptor) = started
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> Bool { Terminal.writeAtOnce(bytes, to: descriptor) }

    func finish() {
        close(descriptor)
        ShellCommand.wait(for: pid)
    }
}
