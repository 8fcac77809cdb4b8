@preconcurrency import Glibc
import Scripting
import Synchronization

/// The editor on a terminal. Keys are waited for on a thread made for that; other threads may print meanwhile.
final class TerminalEditor: Sendable {
    enum Event: Equatable, Sendable {
        /// Answered with `accept` or `goOn`.
        case submit(String)
        /// Answered with `offer`; the cursor is in characters.
        case complete(String, cursor: Int)
        /// Ctrl-C: the text is gone.
        case interrupt
        case endOfInput
        /// The terminal is gone, or somebody has called `stop`.
        case ended
    }

    fileprivate struct State {
        var editor: LineEditor
        var decoder = KeyDecoder()
        /// Typed, and not looked at yet.
        var keys: [Key] = []
        var screen = EditorScreen()
        var prompt = Prompt("> ", continuation: "  ")
        var size = Terminal.outputSize
        /// Between `begin` and the end of the statement: the terminal is ours.
        var isEditing = false
        var isStopped = false
    }

    private let state: Mutex<State>
    private let wake = WakePipe()

    /// Lone bytes of a sequence stand for themselves after that long, in milliseconds.
    private static let sequenceTimeout: CInt = 50

    init(history: [String]) {
        state = Mutex(State(editor: LineEditor(history: StatementHistory(history))))
        wake.watchWindow()
    }

    // MARK: A statement

    func begin(_ prompt: Prompt, text: String = "") {
        Terminal.flush()
        state.withLock { state in
            state.prompt = prompt
            state.size = Terminal.outputSize
            state.editor.begin(text)
            RawMode.shared.enter()
            state.isEditing = true
            state.screen.forget()
            Terminal.writeAtOnce("\u{1B}[?2004h" + state.drawing())
        }
    }

    /// What the keys came to.
    func next() async -> Event { await Blocking.run { self.wait() } }

    /// The statement goes on in another line.
    func goOn() {
        state.withLock { state in
            state.editor.insertLineBreak()
            Terminal.writeAtOnce(state.drawing())
        }
    }

    func offer(_ completion: Completion) {
        state.withLock { state in
            state.editor.offer(completion)
            Terminal.writeAtOnce(state.drawing())
        }
    }

    /// The text stays on the terminal; from here on that is anybody's.
    func accept() {
        state.withLock { $0.leave() }
    }

    /// Not the same one again: true if it is to be kept.
    func remember(_ text: String) -> Bool { state.withLock { $0.editor.remember(text) } }

    // MARK: From other threads

    /// Has `write` print whole lines, above what is being typed.
    func above(_ write: () -> Void) {
        state.withLock { state in
            Terminal.flush()
            if state.isEditing { Terminal.writeAtOnce(state.screen.erase()) }
            write()
            Terminal.flush()
            if state.isEditing { Terminal.writeAtOnce(state.drawing()) }
        }
    }

    func show(_ prompt: Prompt) {
        state.withLock { state in
            state.prompt = prompt
            if state.isEditing { Terminal.writeAtOnce(state.drawing()) }
        }
    }

    /// As Ctrl-C does, when the signal comes from elsewhere.
    func interrupt() {
        state.withLock { $0.keys.append(.interrupt) }
        wake.signal()
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        wake.signal()
    }

    /// Drops what was typed ahead: it was meant for something that is no more.
    func dropTypeAhead() {
        state.withLock { state in
            state.keys = []
            tcflush(STDIN_FILENO, TCIFLUSH)
        }
    }

    /// A Ctrl-C that was read together with the statement before it is meant for that. What was typed before it is gone.
    func takeInterruptAhead() -> Bool {
        state.withLock { state in
            guard let index = state.keys.lastIndex(of: .interrupt) else { return false }
            state.keys.removeSubrange(...index)
            return true
        }
    }
}

// MARK: - The thread

extension TerminalEditor {
    private func wait() -> Event {
        while true {
            if let event = state.withLock({ $0.takeKeys() }) { return event }
            guard let keys = read() else { return .ended }
            state.withLock { $0.keys += keys }
        }
    }

    /// Waits for keys; nil at the end of everything.
    private func read() -> [Key]? {
        let isWaiting = state.withLock { $0.decoder.isWaiting }
        var sources = [
            pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wake.readEnd, events: Int16(POLLIN), revents: 0),
        ]
        let count = poll(&sources, 2, isWaiting ? Self.sequenceTimeout : -1)
        if count == 0 { return state.withLock { $0.decoder.flush() } }
        if sources[1].revents != 0 {
            wake.clear()
            return state.withLock { $0.noteWake() }
        }
        guard count > 0, sources[0].revents != 0 else { return errno == EINTR || count > 0 ? [] : nil }
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        let length = Glibc.read(STDIN_FILENO, &buffer, buffer.count)
        guard length > 0 else { return length < 0 && errno == EINTR ? [] : nil }
        return state.withLock { $0.decoder.feed(buffer[..<length]) }
    }
}

extension TerminalEditor.State {
    fileprivate mutating func noteWake() -> [Key]? {
        if isStopped { return nil }
        let new = Terminal.outputSize
        if new != size {
            size = new
            Terminal.writeAtOnce(screen.erase(inWidth: size.width) + drawing())
        }
        return []
    }

    /// Looks at the keys up to one that the owner has to answer.
    fileprivate mutating func takeKeys() -> TerminalEditor.Event? {
        guard !keys.isEmpty else { return isStopped ? .ended : nil }
        var event: TerminalEditor.Event?
        var used = 0
        for key in keys where event == nil {
            used += 1
            event = self.event(of: editor.take(key))
        }
        keys.removeFirst(used)
        if event != .interrupt { Terminal.writeAtOnce(drawing()) }
        return event
    }

    private mutating func event(of effect: LineEditor.Effect) -> TerminalEditor.Event? {
        switch effect {
        case .nothing: return nil
        case .submit: return .submit(editor.buffer.text)
        case .complete: return .complete(editor.buffer.text, cursor: editor.buffer.cursor)
        case .endOfInput: return .endOfInput
        case .interrupt:
            Terminal.writeAtOnce(drawing())
            return .interrupt
        case .clearScreen:
            screen.forget()
            Terminal.writeAtOnce("\u{1B}[H\u{1B}[2J")
            return nil
        case .suspend:
            suspend()
            return nil
        }
    }

    private mutating func suspend() {
        Terminal.writeAtOnce(screen.finish() + "\u{1B}[?2004l")
        RawMode.shared.leave()
        kill(getpid(), SIGTSTP)
        RawMode.shared.enter()
        Terminal.writeAtOnce("\u{1B}[?2004h")
    }

    /// The escape sequences that show what is to be seen now.
    fileprivate mutating func drawing() -> String {
        screen.draw(layout(), height: size.height)
    }

    fileprivate mutating func leave() {
        guard isEditing else { return }
        editor.closeMenu()
        var output = drawing()
        if screen.isClipped {
            // All of it goes into the terminal's memory.
            output += screen.erase() + screen.draw(layout(), height: Int.max)
        }
        Terminal.writeAtOnce(output + screen.finish() + "\u{1B}[?2004l")
        RawMode.shared.leave()
        isEditing = false
    }

    private func layout() -> EditorLayout {
        if let search = editor.search {
            let name = search.hasFailed ? "failed search" : "search"
            let found = search.index.map { editor.history.entries[$0] } ?? ""
            let title = "(\(name)) \(search.query): "
            let blanks = String(repeating: " ", count: TerminalText.width(of: title))
            return EditorLayout(EditBuffer(found), Prompt(title, continuation: blanks), width: size.width)
        }
        var layout = EditorLayout(editor.buffer, prompt, width: size.width)
        if !editor.menu.isEmpty {
            let height = max(1, size.height - layout.rows.count - 1)
            layout.append(lines: MenuLines.lines(editor.menu, width: size.width, height: height))
        }
        return layout
    }
}
