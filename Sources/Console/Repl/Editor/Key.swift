/// What somebody does at the keyboard, whatever bytes the terminal makes of it.
enum Key: Equatable {
    /// Typed; often a part of a character only, as combining marks come by themselves.
    case text(String)
    /// Comes as it is, line breaks and tabs included.
    case paste(String)
    case enter
    /// A line break that never submits (Alt-Enter).
    case lineBreak
    case tab
    case left, right, up, down, home, end, wordLeft, wordRight
    case backspace, delete
    case killToEnd, killToStart, killWordBefore, killPartBefore, killPartAfter
    case yank, undo, transpose
    case search
    /// Esc, Ctrl-G: leaves what is going on.
    case cancel
    case clearScreen
    /// Ctrl-C.
    case interrupt
    /// Ctrl-D where there is text: deletes a character; else the end of input.
    case endOfInput
    case suspend
    case unknown
}
