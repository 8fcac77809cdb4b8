@preconcurrency import Glibc
import Scripting
import Synchronization

/// Shows a run until somebody has seen enough, or it ends.
final class TopRun: Sendable {
    private let command: TopCommand
    private let wake = WakePipe()
    private let isStopped = Atomic(false)

    init(_ command: TopCommand) { self.command = command }

    func run(_ signals: Signals) async -> Int32 {
        signals.react { [self] event in
            if case .hangUp = event { _exit(ExitCode.interrupted) }
            isStopped.store(true, ordering: .relaxed)
            wake.signal()
        }
        return await Blocking.run { self.show() }
    }

    // MARK: The thread

    private func show() -> Int32 {
        let process: RunningProcess
        switch RunningProcess.find(command.run) {
        case .success(let found): process = found
        case .failure(let report): return FailureReporter().fail([report])
        }
        if command.json {
            guard let look = process.look() else { return ended(process) }
            Terminal.write(look.json)
            return ExitCode.done
        }
        let isLive = Terminal.inputIsTerminal && Terminal.outputIsLive && !command.once
        guard isLive else { return showOnce(process) }
        return follow(process) ? ExitCode.done : ended(process)
    }

    private func showOnce(_ process: RunningProcess) -> Int32 {
        pause()
        if isStopped.load(ordering: .relaxed) { return ExitCode.interrupted }
        guard let (_, document) = process.look() else { return ended(process) }
        Terminal.write(TopScreen.text(document, RunRates(process.document, document)))
        return ExitCode.done
    }

    /// False if the run has ended before somebody had seen enough.
    private func follow(_ process: RunningProcess) -> Bool {
        wake.watchWindow()
        RawMode.shared.enter()
        // Another screen, without a cursor; the one before comes back.
        Terminal.writeAtOnce("\u{1B}[?1049h\u{1B}[?25l")
        defer {
            Terminal.writeAtOnce("\u{1B}[?25h\u{1B}[?1049l")
            RawMode.shared.leave()
        }
        var state = TopState(process.document)
        var due = ContinuousClock.now
        while !isStopped.load(ordering: .relaxed) {
            if ContinuousClock.now >= due {
                guard let (_, document) = process.look() else { return false }
                state.note(document)
                due = .now + .seconds(command.interval)
            }
            draw(state)
            for key in keys(until: due) where !state.take(key) { return true }
        }
        return true
    }

    private func draw(_ state: TopState) {
        let lines = state.lines(size: Terminal.outputSize, Terminal.outputPalette)
        Terminal.writeAtOnce("\u{1B}[H" + lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J")
    }

    private func ended(_ process: RunningProcess) -> Int32 {
        Terminal.writeError("the run has ended: \(TerminalText.escaped(process.title))\n")
        return ExitCode.done
    }

    private func pause() {
        var source = pollfd(fd: wake.readEnd, events: Int16(POLLIN), revents: 0)
        poll(&source, 1, CInt(command.interval * 1000))
    }

    /// What was typed; none if the window has changed, or the time is over.
    private func keys(until due: ContinuousClock.Instant) -> [Key] {
        var sources = [STDIN_FILENO, wake.readEnd].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let left = max(0, (due - .now) / .milliseconds(1))
        guard poll(&sources, 2, CInt(left.rounded(.up))) > 0 else { return [] }
        wake.clear()
        guard sources[0].revents != 0 else { return [] }
        var buffer = [UInt8](repeating: 0, count: 256)
        let length = read(STDIN_FILENO, &buffer, buffer.count)
        guard length > 0 else { return [.endOfInput] }
        var decoder = KeyDecoder()
        return decoder.feed(buffer[..<length]) + decoder.flush()
    }
}

/// What is shown, and how.
struct TopState {
    private var document: RunDocument
    private var rates: RunRates
    private var order = TopScreen.Order.rate
    private var offset = 0

    init(_ document: RunDocument) {
        self.document = document
        rates = RunRates(nil, document)
    }

    mutating func note(_ new: RunDocument) {
        rates = RunRates(document, new)
        document = new
    }

    /// False: that was enough.
    mutating func take(_ key: Key) -> Bool {
        switch key {
        case .text("q"), .interrupt, .endOfInput, .cancel: return false
        case .text("s"):
            let orders = TopScreen.Order.allCases
            order = orders[((orders.firstIndex(of: order) ?? 0) + 1) % orders.count]
        case .down: offset += 1
        case .up: offset = max(0, offset - 1)
        case .home: offset = 0
        default: break
        }
        offset = min(offset, screen(width: 80, height: 24, .plain).lastOffset(document))
        return true
    }

    func lines(size: (width: Int, height: Int), _ palette: Palette) -> [String] {
        screen(width: size.width, height: size.height, palette).lines(document, rates)
    }

    private func screen(width: Int, height: Int, _ palette: Palette) -> TopScreen {
        TopScreen(width: width, height: height, palette: palette, order: order, offset: offset)
    }
}
