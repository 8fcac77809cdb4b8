@preconcurrency import Glibc

/// Files that commands read and make.
enum TextFile {
    static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return try? StandardInput.read(descriptor)
    }

    /// A new file that nobody else may read.
    static func makeTemporary(_ text: String) -> String? {
        let directory = Terminal.variable("TMPDIR").isEmpty ? "/tmp" : Terminal.variable("TMPDIR")
        var template = Array("\(directory)/replhost-XXXXXX.sql".utf8CString)
        let descriptor = mkstemps(&template, 4)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var text = text + "\n"
        text.withUTF8 { _ = Terminal.writeAtOnce(UnsafeRawBufferPointer($0), to: descriptor) }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
