import Scripting
import Synchronization

/// Statements from a file, a pipe, a text, or a terminal that can do nothing but lines.
final class PlainReader: Sendable {
    fileprivate struct State {
        /// Lines of a statement that is not whole.
        var pending = ""
        var lines: [Substring]
        var prompt: Prompt?
        var isWaiting = false
    }

    private let state: Mutex<State>
    private let input: LineReader?

    /// Reads standard input.
    init() {
        input = LineReader()
        state = Mutex(State(lines: []))
    }

    init(text: String) {
        input = nil
        state = Mutex(State(lines: text.split(separator: "\n", omittingEmptySubsequences: false).reversed()))
    }

    /// `prompt` is shown before each line.
    func show(_ prompt: Prompt?) { state.withLock { $0.prompt = prompt } }

    /// The prompt has become another one while a line is waited for.
    func showAgain(_ prompt: Prompt) {
        state.withLock { state in
            guard state.prompt != nil, state.prompt != prompt else { return }
            state.prompt = prompt
            guard state.isWaiting else { return }
            Terminal.write("\n")
            state.writePrompt()
        }
    }

    /// What has been read of a statement, with one more line; nil at the end.
    func nextLine() async -> String? {
        state.withLock { state in
            state.isWaiting = true
            state.writePrompt()
        }
        defer { state.withLock { $0.isWaiting = false } }
        guard let line = await line() else { return nil }
        return state.withLock { state in
            state.pending += state.pending.isEmpty ? line : "\n" + line
            return state.pending
        }
    }

    private func line() async -> String? {
        if let input { return await input.next() }
        return state.withLock { $0.lines.popLast() }.map(String.init)
    }

    /// The rest of a statement that never became whole; it is forgotten.
    func takePending() -> String {
        state.withLock { state in
            defer { state.pending = "" }
            return state.pending
        }
    }

    /// Ctrl-C: the statement is forgotten.
    func interrupt() {
        state.withLock { state in
            state.pending = ""
            Terminal.write("\n")
            state.writePrompt()
        }
    }

    /// Has `write` print whole lines while a line is waited for.
    func above(_ write: () -> Void) {
        state.withLock { state in
            let isAtPrompt = state.isWaiting && state.prompt != nil
            if isAtPrompt { Terminal.write("\n") }
            write()
            if isAtPrompt { state.writePrompt() }
        }
    }
}

extension PlainReader.State {
    fileprivate func writePrompt() {
        guard let prompt else { return }
        Terminal.write(pending.isEmpty ? prompt.first : prompt.continuation)
        Terminal.flush()
    }
}
