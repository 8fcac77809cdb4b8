import Glibc
import LuaRuntime

/// The text of a script, as Lua compiles it.
enum ScriptText {
    /// Reads a file; the error says what the system says.
    static func read(_ path: String) throws(ScriptError) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            guard count >= 0 else { throw failure(path) }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    /// Without a byte order mark; a first line that begins with `#!` becomes a comment, so that lines keep their numbers.
    static func prepared(_ text: String) -> String {
        let body = text.hasPrefix("\u{FEFF}") ? String(text.dropFirst()) : text
        return body.hasPrefix("#") ? "--\(body)" : body
    }

    private static func failure(_ path: String) -> ScriptError {
        ScriptError(code: "RH1007", "cannot open \"\(path)\": \(String(cString: strerror(errno)))")
    }
}
