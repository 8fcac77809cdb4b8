/// Why a server of our own could not be made, started, stopped or found.
package enum SandboxError: Error, Equatable, Sendable {
    case invalidName(String)
    case noServerPrograms(searched: [String])
    case noUnprivilegedUser(tried: [String])
    case noStateDirectory
    /// Errno of a file operation; `operation` is a verb such as "create".
    case file(operation: String, path: String, errno: CInt)
    /// The directory exists, but others than us and the server could enter it.
    case unsafeDirectory(path: String)
    /// The program could not be started at all.
    case cannotRun(program: String, errno: CInt)
    case programFailed(program: String, status: CInt, output: String)
    case wrongVersion(directory: String, dataVersion: String, serverVersion: String)
    case startFailed(directory: String, log: String)
    case startTimedOut(directory: String, seconds: Int)
    case stopTimedOut(directory: String, pid: Int32)
    case noSuchSandbox(String)
}

extension SandboxError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .invalidName(let name):
            "\"\(name)\" is not a sandbox name"
        case .noServerPrograms(let searched):
            "no PostgreSQL server programs found in \(searched.joined(separator: ", "))"
        case .noUnprivilegedUser(let tried):
            "a PostgreSQL server cannot run as root, and none of these users exists: \(tried.joined(separator: ", "))"
        case .noStateDirectory:
            "cannot tell where state files belong: neither XDG_STATE_HOME nor HOME is an absolute path"
        case .file(let operation, let path, let code):
            "cannot \(operation) \"\(path)\": \(SystemError.text(code))"
        case .unsafeDirectory(let path):
            "directory \"\(path)\" belongs to another user or is open to others"
        case .cannotRun(let program, let code):
            "cannot run \"\(program)\": \(SystemError.text(code))"
        case .programFailed(let program, let status, let output):
            "\"\(program)\" failed with status \(status): \(Self.lastLine(of: output))"
        case .wrongVersion(let directory, let data, let server):
            "\"\(directory)\" was made by PostgreSQL \(data), but the installed server is \(server)"
        case .startFailed(let directory, let log):
            "the server in \"\(directory)\" did not start: \(Self.lastLine(of: log))"
        case .startTimedOut(let directory, let seconds):
            "the server in \"\(directory)\" was not ready after \(seconds) s"
        case .stopTimedOut(let directory, let pid):
            "the server in \"\(directory)\" (pid \(pid)) did not stop"
        case .noSuchSandbox(let name):
            "there is no sandbox \"\(name)\""
        }
    }

    /// What to do about it, in a sentence.
    package var hint: String? {
        switch self {
        case .invalidName:
            "A name has 1 to \(SandboxName.maxLength) letters, digits, \"-\" or \"_\", and begins with a letter or digit."
        case .noServerPrograms:
            "Install a server (on Debian: apt-get install postgresql), or give the DSN of one that runs."
        case .noUnprivilegedUser:
            "Create the user \"postgres\", or start replhost as an ordinary user."
        case .noStateDirectory: "Set HOME."
        case .file: nil
        case .unsafeDirectory(let path): "Remove \"\(path)\" or set its mode to 0700."
        case .cannotRun(let program, _): "Check that \"\(program)\" is installed and may be executed."
        case .programFailed(_, _, let output): Self.lines(of: output).count > 1 ? "It printed:\n\(output)" : nil
        case .wrongVersion(_, let data, _):
            "Install PostgreSQL \(data) beside it, or remove the sandbox; it is then made anew."
        case .startFailed(_, let log): Self.lines(of: log).count > 1 ? "Its log ends with:\n\(log)" : nil
        case .startTimedOut: "It may still be recovering from a crash: try again, and look into its server.log."
        case .stopTimedOut: "A client may be holding it: end the clients, or kill the process."
        case .noSuchSandbox: "\"replhost sandbox list\" shows those that exist; a sandbox is made on first use."
        }
    }

    private static func lines(of text: String) -> [Substring] {
        text.split(separator: "\n")
    }

    /// PostgreSQL says why in its last FATAL line; other programs in their last line.
    private static func lastLine(of text: String) -> String {
        let lines = lines(of: text)
        return String(lines.last { $0.contains("FATAL:") } ?? lines.last ?? "it printed nothing")
    }
}
