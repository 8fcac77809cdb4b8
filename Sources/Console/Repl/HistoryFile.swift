@preconcurrency import Glibc
import Sandbox
import Scripting

/// What was typed in earlier sessions: a statement in each line, its own line breaks as `\n`. Nobody else may read it.
struct HistoryFile {
    private static let mostEntries = 10_000

    private let path: String

    /// nil if there is no place for it.
    init?() {
        guard let directory = UserDirectory.state.path else { return nil }
        self.init(path: directory + "/replhost/history")
    }

    init(path: String) { self.path = path }

    /// The latest ones; a file that has grown large is cut to them.
    func load() -> [String] {
        guard let text = TextFile.read(path) else { return [] }
        let lines = text.utf8.split(separator: 0x0A).map { Self.unescaped(String(Substring($0))) }
        guard lines.count > 2 * Self.mostEntries else { return lines.suffix(Self.mostEntries) }
        let kept = Array(lines.suffix(Self.mostEntries))
        rewrite(kept)
        return kept
    }

    /// Several sessions may add to the same file. One that cannot be written is done without.
    func add(_ text: String) {
        try? FileTree.makeDirectories(FileTree.parent(of: path), mode: 0o700)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        _ = fchmod(descriptor, 0o600)
        var line = Self.escaped(text) + "\n"
        line.withUTF8 { _ = Terminal.writeAtOnce(UnsafeRawBufferPointer($0), to: descriptor) }
    }

    private func rewrite(_ entries: [String]) {
        let new = path + ".new"
        let descriptor = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        var text = entries.map { Self.escaped($0) + "\n" }.joined()
        let isWritten = text.withUTF8 { Terminal.writeAtOnce(UnsafeRawBufferPointer($0), to: descriptor) }
        close(descriptor)
        if isWritten { rename(new, path) } else { unlink(new) }
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
    }

    private static func unescaped(_ line: String) -> String {
        var output = ""
        var isEscaped = false
        for character in line {
            if isEscaped {
                output.append(character == "n" ? "\n" : character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                output.append(character)
            }
        }
        return output
    }
}

/// What must not be kept of what was typed.
enum Secrets {
    /// The text may hold a password: of a role, of a connection, of a user mapping.
    static func areIn(_ text: String) -> Bool {
        if text.contains(/(?i)\b(password|passwd|pgpassword|sslpassword)\b/.wordBoundaryKind(.simple)) { return true }
        // scheme://user:password@host
        return text.contains(/:\/\/[^\/@\s:]*:[^@\s]+@/)
    }
}
