import Glibc
import Scripting

/// What those have to know who ask from other machines.
enum TokenFile {
    /// Without the blanks and line breaks at its ends.
    static func read(_ path: String) throws(TokenError) -> String {
        var facts = stat()
        guard stat(path, &facts) == 0, let text = TextFile.read(path) else { throw .unreadable(path) }
        guard facts.st_mode & 0o077 == 0 else { throw .isOpen(path) }
        let token = text.split(whereSeparator: \.isWhitespace)
        guard let first = token.first, token.count == 1 else { throw .isNoToken(path) }
        return String(first)
    }
}

enum TokenError: Error, Equatable {
    case unreadable(String)
    /// Others may read the file.
    case isOpen(String)
    case isNoToken(String)

    var report: FailureReport {
        switch self {
        case .unreadable(let path):
            FailureReport(code: "RH0112", "cannot read the token file \"\(path)\"", hint: "It holds one word.")
        case .isOpen(let path):
            FailureReport(
                code: "RH0112", "others may read the token file \"\(path)\"", hint: "Run: chmod 600 \(path)")
        case .isNoToken(let path):
            FailureReport(
                code: "RH0112", "the token file \"\(path)\" does not hold one word",
                hint: "Make one, for example: (umask 077; openssl rand -hex 32 > \(path))")
        }
    }
}
