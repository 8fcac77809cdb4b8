/// What the process's exit status says.
enum ExitCode {
    static let done: Int32 = 0
    static let failed: Int32 = 1
    static let wrongUsage: Int32 = 2
    /// `check` or `verify` has found something.
    static let findings: Int32 = 3
    static let interrupted: Int32 = 130
    /// As a shell shows that SIGPIPE has ended a program.
    static let outputBroken: Int32 = 141
}
