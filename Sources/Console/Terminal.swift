@preconcurrency import Glibc

/// Standard output and standard error, in the order in which things are written.
enum Terminal {
    static var inputIsTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// Colours for standard error: on a terminal, unless NO_COLOR is set or it is a dumb one.
    static var errorPalette: Palette { palette(of: STDERR_FILENO) }

    /// The same for standard output.
    static var outputPalette: Palette { palette(of: STDOUT_FILENO) }

    private static func palette(of descriptor: CInt) -> Palette {
        isatty(descriptor) == 1 && variable("NO_COLOR").isEmpty && variable("TERM") != "dumb" ? .coloured : .plain
    }

    /// Whether lines of standard error can be drawn anew.
    static var errorIsLive: Bool { isatty(STDERR_FILENO) == 1 && !["", "dumb"].contains(variable("TERM")) }

    /// Whether characters beyond ASCII are shown as what they are.
    static var showsUnicode: Bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.map(variable).first { !$0.isEmpty } ?? ""
        return locale.lowercased().replacing("-", with: "").contains("utf8")
    }

    /// Columns and lines of the window behind standard error, as it is now.
    static var errorSize: (width: Int, height: Int) { size(of: STDERR_FILENO) }

    /// Columns for what goes to standard output.
    static var outputWidth: Int { outputSize.width }

    /// Columns and lines of the window behind standard output, as it is now.
    static var outputSize: (width: Int, height: Int) { size(of: STDOUT_FILENO) }

    static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// The cursor can be moved on the terminal behind standard output.
    static var outputIsLive: Bool { outputIsTerminal && !["", "dumb"].contains(variable("TERM")) }

    private static func size(of descriptor: CInt) -> (width: Int, height: Int) {
        var window = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(window.ws_col), Int(window.ws_row))
    }

    /// To C's buffered output, which Lua's `print` and `io.write` share.
    static func write(_ text: String) {
        fputs(text, stdout)
    }

    /// What was printed before comes first.
    static func writeError(_ text: String) {
        LiveBlock.shared.aside {
            fflush(stdout)
            fputs(text, stderr)
        }
    }

    /// Past C's buffered output, which has to be flushed before. False if nobody reads any more.
    @discardableResult
    static func writeAtOnce(_ bytes: UnsafeRawBufferPointer, to descriptor: CInt = STDOUT_FILENO) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            guard count > 0 || errno == EINTR || errno == EAGAIN else { return false }
            rest = UnsafeRawBufferPointer(rebasing: rest[max(0, count)...])
        }
        return true
    }

    @discardableResult
    static func writeAtOnce(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { writeAtOnce(UnsafeRawBufferPointer($0)) }
    }

    /// Without waiting for anybody who holds the buffered streams.
    static func writeErrorAtOnce(_ text: String) {
        var text = text
        text.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// Hands all output over to the system; false if some was lost, now or before. A reader that has gone away is none.
    @discardableResult
    static func flush() -> Bool {
        let isComplete = fflush(stdout) == 0 && ferror(stdout) == 0
        return isComplete || outputIsBroken
    }

    /// True when nobody will read standard output any more. May be called in a signal handler.
    static var outputIsBroken: Bool {
        var entry = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
        return poll(&entry, 1, 0) > 0 && CInt(entry.revents) & POLLERR != 0
    }

    static func variable(_ name: String) -> String {
        getenv(name).map { String(cString: $0) } ?? ""
    }
}
