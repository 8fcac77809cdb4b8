@preconcurrency import Glibc
import Scripting

/// A script that comes through a pipe.
enum StandardInput {
    /// All of it, or of another file that is open.
    static func read(_ descriptor: CInt = STDIN_FILENO) throws(InputError) -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            if count > 0 {
                bytes += buffer[..<count]
            } else if errno != EINTR {
                throw InputError(code: errno)
            }
        }
    }
}

/// Standard input cannot be read; `code` is the errno.
struct InputError: Error, Equatable {
    let code: CInt

    var report: FailureReport {
        FailureReport(code: "RH0102", "cannot read standard input: \(String(cString: strerror(code)))")
    }
}
