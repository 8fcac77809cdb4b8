import Scripting

/// What a session's commands have set.
struct ReplState: Sendable {
    var format: ResultFormat
    /// Each statement is followed by how long it took.
    var isTimed = false
    /// Where results go, if not to standard output; open.
    var file: OutputFile?
    /// The last statement, for `\e` and `\watch`.
    var lastStatement = ""
    /// Put into the next statement's place, to be edited.
    var draft = ""
}

/// A file that results are written to.
struct OutputFile: Sendable, Equatable {
    var path: String
    var descriptor: CInt
}
