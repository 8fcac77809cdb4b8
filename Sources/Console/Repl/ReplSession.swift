import Scripting
import Synchronization

/// One session: statements in, results out.
final class ReplSession: Sendable {
    /// How a statement ended, for whoever reads the next one.
    enum Outcome: Equatable {
        case done
        case failed
        /// The session ends with this exit code.
        case leave(Int32)
    }

    private enum Activity {
        case reading
        /// Something runs; this stops it.
        case running(stop: @Sendable () -> Void)
        case interrupted
    }

    let backend: ReplBackend
    let catalog: CatalogFeed
    let editor: TerminalEditor?
    /// A person is asked; failures do not end the session.
    let isInteractive: Bool
    /// That the session has joined.
    let run: RunningProcess?
    let wake = WakePipe()
    private let activity = Mutex(Activity.reading)
    private let replState: Mutex<ReplState>

    init(
        _ backend: ReplBackend, _ state: ReplState, editor: TerminalEditor?, isInteractive: Bool,
        run: RunningProcess? = nil
    ) {
        self.run = run
        self.backend = backend
        self.editor = editor
        self.isInteractive = isInteractive
        catalog = CatalogFeed(backend)
        replState = Mutex(state)
    }

    var state: ReplState { replState.withLock { $0 } }

    func change(_ body: (inout ReplState) -> Void) { replState.withLock { body(&$0) } }

    /// Ctrl-C, on the main thread: clears the line, or stops what runs.
    func interrupt() {
        let isReading = activity.withLock { activity in
            switch activity {
            case .reading: return true
            case .running(let stop):
                activity = .interrupted
                // Under the lock: what is told to stop is what was running.
                stop()
                wake.signal()
            case .interrupted: break
            }
            return false
        }
        if isReading { editor?.interrupt() }
    }

    var isReading: Bool {
        activity.withLock { activity in
            if case .reading = activity { return true }
            return false
        }
    }

    /// Runs `body` so that `interrupt()` stops it.
    func interruptible<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) async -> Value {
        let task = Task { await body() }
        let host = backend.host
        activity.withLock { activity in
            activity = .running {
                task.cancel()
                host.interrupt()
            }
        }
        if editor?.takeInterruptAhead() == true { interrupt() }
        let value = await task.value
        let wasInterrupted = activity.withLock { activity in
            defer { activity = .reading }
            if case .interrupted = activity { return true }
            return false
        }
        // The host hears of interruptions in their order: this one must not hit the next statement.
        if wasInterrupted {
            _ = await host.evaluate("return")
            wake.clear()
        }
        return value
    }

    /// Where results go now. To be finished.
    func output() -> ReplOutput {
        let state = state
        if let file = state.file { return .plain(PlainOutput(to: file.descriptor)) }
        guard editor != nil, state.format.isForPeople else { return .plain(PlainOutput()) }
        return .paged(PagedOutput(wake: wake))
    }

    /// The format for what is written now.
    var format: ResultFormat {
        var format = state.format
        if state.file == nil, Terminal.outputIsTerminal { format.width = Terminal.outputWidth }
        return format
    }
}

/// A place for the results of one statement.
enum ReplOutput {
    case plain(PlainOutput)
    case paged(PagedOutput)

    var sink: any ResultSink {
        switch self {
        case .plain(let output): output
        case .paged(let output): output
        }
    }

    func finish() {
        if case .paged(let output) = self { output.finish() }
    }

    func write(_ text: String) {
        var text = text
        text.withUTF8 { _ = sink.write(UnsafeRawBufferPointer($0)) }
    }
}
