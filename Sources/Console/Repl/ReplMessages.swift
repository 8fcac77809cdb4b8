import Scripting
import Synchronization

/// Shows what comes by itself, at once, without hurting what is being typed.
final class ReplMessages: Sendable {
    private let editor: TerminalEditor?
    private let reader: PlainReader?
    private let session = Mutex<ReplSession?>(nil)

    init(_ editor: TerminalEditor?, _ reader: PlainReader?) {
        self.editor = editor
        self.reader = reader
        ScriptLog.output.surround { [editor, reader] write in
            if let editor { editor.above(write) } else if let reader { reader.above(write) } else { write() }
        }
    }

    func attach(_ attached: ReplSession) { session.withLock { $0 = attached } }

    func end() {
        ScriptLog.output.surround(nil)
        session.withLock { $0 = nil }
    }

    /// On the host's thread.
    func show(_ event: ReplBackend.Event) {
        if case .factsChanged = event { return showPrompt() }
        if case .lost(_, transaction: true) = event { editor?.dropTypeAhead() }
        let text = Self.text(event)
        let write = { Terminal.writeError(text) }
        if let editor { editor.above(write) } else if let reader { reader.above(write) } else { write() }
    }

    private func showPrompt() {
        guard let prompt = session.withLock({ $0?.prompt }) else { return }
        editor?.show(prompt)
        reader?.showAgain(prompt)
    }

    private static func text(_ event: ReplBackend.Event) -> String {
        switch event {
        case .notice(let text): return TerminalText.escapedLines(text) + "\n"
        case .notification(let channel, let payload, let pid):
            let load = payload.isEmpty ? "" : ": \(TerminalText.escaped(payload))"
            return "notification on \"\(TerminalText.escaped(channel))\" from pid \(pid)\(load)\n"
        case .lost(let reason, let transaction):
            let more = transaction ? "; the open transaction is lost" : ""
            return "connection lost: \(TerminalText.escaped(reason))\(more)\n"
        case .connectedAnew(let losses):
            guard !losses.isEmpty else { return "connected anew\n" }
            return "connected anew; lost with the old session: \(losses.joined(separator: "; "))\n"
        case .notConnected(let report): return FailureReporter().text(report)
        case .factsChanged: return ""
        }
    }
}
