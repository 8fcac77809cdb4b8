@preconcurrency import Glibc
import Scripting

/// Scripts as files.
enum ScriptFile {
    /// Line `number` (from 1) of a file, without its line break.
    static func line(_ number: Int, of path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var buffer: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(buffer) }
        for current in 1...max(number, 1) {
            guard getline(&buffer, &capacity, file) >= 0, let buffer else { return nil }
            if current == number { return String(cString: buffer).withoutLineBreak }
        }
        return nil
    }
}

extension String {
    fileprivate var withoutLineBreak: String {
        var text = self
        while text.utf8.last == 0x0A || text.utf8.last == 0x0D { text.unicodeScalars.removeLast() }
        return text
    }
}
