@preconcurrency import Glibc
import Sandbox
import Scripting

/// Makes a session, and ends it.
struct ReplRun {
    private let request: ReplRequest
    private let signals: Signals

    init(_ request: ReplRequest, _ signals: Signals) {
        self.request = request
        self.signals = signals
    }

    func run() async -> Int32 {
        do {
            return await run(request.target, on: try await ScriptHost.start(request.options))
        } catch {
            return FailureReporter().fail([FailureReport(error)])
        }
    }

    private var isInteractive: Bool { Terminal.inputIsTerminal && request.text == nil }

    private func run(_ target: ReplTarget, on host: ScriptHost) async -> Int32 {
        let history = HistoryFile()
        let hasEditor = isInteractive && Terminal.outputIsLive
        let editor = hasEditor ? TerminalEditor(history: history?.load() ?? []) : nil
        let reader = editor == nil ? request.text.map { PlainReader(text: $0) } ?? PlainReader() : nil
        let messages = ReplMessages(editor, reader)
        let backend = ReplBackend(host) { messages.show($0) }
        let state = ReplState(format: ResultFormat(request.kind))
        let session = ReplSession(backend, state, editor: editor, isInteractive: isInteractive, run: request.run)
        messages.attach(session)
        let interruption = Interruption(host)
        signals.react { react(to: $0, session, reader, interruption) }

        var code = await prepare(target, session)
        if code == ExitCode.done {
            code =
                if let editor { await session.run(editor, history) } else if let reader {
                    await session.run(reader)
                } else { code }
        }
        messages.end()
        RawMode.shared.leave()
        code = interruption.code(or: code)
        Terminal.flush()
        interruption.end(with: code)
        await session.catalog.close()
        await backend.leaveSession()
        await host.close()
        return code
    }

    /// On the main thread.
    private func react(
        to event: Signals.Event, _ session: ReplSession, _ reader: PlainReader?, _ interruption: Interruption
    ) {
        if isInteractive, case .interrupt = event {
            if session.isReading, let reader { reader.interrupt() } else { session.interrupt() }
            return
        }
        if isInteractive { RawMode.shared.restore() }
        session.editor?.stop()
        interruption.note(event)
    }

    /// An exit code other than 0 if the session cannot begin.
    private func prepare(_ target: ReplTarget, _ session: ReplSession) async -> Int32 {
        if case .script(let path) = target {
            switch await session.backend.run(file: path) {
            case .finished: break
            case .exited(let code): return code
            case .interrupted: return ExitCode.interrupted
            case .failed(let failures): return FailureReporter(script: path).fail(failures.map { FailureReport($0) })
            }
        }
        if case .failure(let report) = await session.backend.call(target.prelude) {
            return FailureReporter().fail([report])
        }
        if isInteractive { await greet(session) }
        return ExitCode.done
    }

    private func greet(_ session: ReplSession) async {
        if Terminal.outputIsTerminal { Terminal.write("\(HostVersions.text). \\? helps, Ctrl-D leaves.\n") }
        if let run = request.run {
            Terminal.write("Joined \(TerminalText.escaped(run.title)): \\status, \\tasks, \\pool, \\tap tell of it.\n")
        }
        Terminal.flush()
        let backend = session.backend
        if await backend.hasPool(), let report = await session.interruptible({ await backend.connect() }) {
            Terminal.writeError(FailureReporter().text(report))
        }
        if let path = InitFile.path, access(path, F_OK) == 0 { await session.runInitFile(path) }
        session.catalog.refresh()
    }
}

/// `~/.config/replhost/init.lua`: runs at the start of interactive sessions.
enum InitFile {
    static var path: String? {
        UserDirectory.config.path.map { $0 + "/replhost/init.lua" }
    }
}

extension ReplSession {
    /// What fails in it is shown, and the session goes on.
    fileprivate func runInitFile(_ path: String) async {
        let backend = backend
        switch await interruptible({ await backend.load(file: path) }) {
        case .finished: break
        case .exited, .interrupted: Terminal.writeError("\(path): interrupted\n")
        case .failed(let failures):
            Terminal.writeError(FailureReporter(script: path).text(failures.map { FailureReport($0) }))
        }
    }
}
