@preconcurrency import Glibc
import Sandbox
import Scripting

/// A file that a command writes. `replhost types` writes it at once or not at all, and never over what somebody else has
/// written.
struct WrittenFile {
    private static let beginnings = ["---@meta", RecordedTypes.mark, "[{\"pipeline\": "]

    private let path: String

    /// A link stays one.
    init(_ path: String) { self.path = FileTree.resolved(path) }

    func replace(with text: String) throws(FailureReport) {
        var status = stat()
        let exists = stat(path, &status) == 0
        let isPlain = exists && status.st_mode & S_IFMT == S_IFREG
        guard !exists || isPlain else { return try write(text, to: open(path, O_WRONLY | O_CLOEXEC)) }
        if exists { try requireOwn() }
        let new = path + ".new"
        do throws(FailureReport) {
            try write(text, to: open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, exists ? status.st_mode : 0o666))
            guard rename(new, path) == 0 else { throw failure(errno) }
        } catch {
            unlink(new)
            throw error
        }
    }

    private func requireOwn() throws(FailureReport) {
        guard let text = TextFile.read(path) else { throw failure(EACCES) }
        guard text.isEmpty || Self.beginnings.contains(where: text.hasPrefix) else {
            throw FailureReport(
                code: "RH3492", "\"\(path)\" is there, and was not written by \"replhost types\"",
                hint: "Name another file, or remove that one.")
        }
    }

    /// Closes the descriptor.
    func write(_ text: String, to descriptor: CInt) throws(FailureReport) {
        guard descriptor >= 0 else { throw failure(errno) }
        var text = text
        let isWritten = text.withUTF8 { Terminal.writeAtOnce(UnsafeRawBufferPointer($0), to: descriptor) }
        let code = errno
        guard close(descriptor) == 0, isWritten else { throw failure(isWritten ? errno : code) }
    }

    private func failure(_ code: CInt) -> FailureReport {
        FailureReport(code: "RH3491", "cannot write \"\(path)\": \(String(cString: strerror(code)))")
    }
}
