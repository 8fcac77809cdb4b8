@preconcurrency import Glibc
import Scripting
import Synchronization

/// Results on a terminal: what is longer than the window goes through `$PAGER`, or is shown page by page.
final class PagedOutput: ResultSink {
    fileprivate enum Phase {
        /// So many lines of the page are still free.
        case own(free: Int)
        /// Held until it is longer than the window.
        case held([UInt8], free: Int)
        case piped(PagerProcess)
        /// Without end: somebody does not want to be asked any more.
        case open
        /// Nobody wants more.
        case closed
    }

    private let phase: Mutex<Phase>
    private let size: (width: Int, height: Int)
    private let pager: String
    private let wake: WakePipe

    /// `wake` ends what is asked for on the terminal.
    init(wake: WakePipe) {
        size = Terminal.outputSize
        pager = Terminal.variable("PAGER")
        self.wake = wake
        let free = max(1, size.height - 1)
        phase = Mutex(pager.isEmpty ? .own(free: free) : .held([], free: free))
        Terminal.flush()
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        phase.withLock { phase in
            switch phase {
            case .own(let free): phase = writePages(bytes, free)
            case .held(let held, let free): phase = hold(held, bytes, free)
            case .piped(let process): if !process.write(bytes) { phase = .closed }
            case .open: Terminal.writeAtOnce(bytes)
            case .closed: break
            }
            if case .closed = phase { return false }
            return true
        }
    }

    /// Shows what is held, and waits for the pager's end.
    func finish() {
        phase.withLock { phase in
            switch phase {
            case .held(let held, _): held.withUnsafeBytes { _ = Terminal.writeAtOnce($0) }
            case .piped(let process): process.finish()
            case .own, .open, .closed: break
            }
            if case .piped = phase { phase = .closed }
        }
    }

    // MARK: A pager

    private func hold(_ held: [UInt8], _ bytes: UnsafeRawBufferPointer, _ free: Int) -> Phase {
        let all = held + bytes
        var left = free
        for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast() {
            left -= rows(UnsafeRawBufferPointer(rebasing: line))
        }
        guard left < 0 else { return .held(all, free: left) }
        guard let process = PagerProcess(pager) else {
            all.withUnsafeBytes { _ = Terminal.writeAtOnce($0) }
            return .open
        }
        return all.withUnsafeBytes { process.write($0) } ? .piped(process) : .closedAfter(process)
    }

    // MARK: Our own pages

    private func writePages(_ bytes: UnsafeRawBufferPointer, _ free: Int) -> Phase {
        var rest = bytes
        var left = free
        while !rest.isEmpty {
            let end = rest.firstIndex(of: 0x0A).map { $0 + 1 } ?? rest.count
            let line = UnsafeRawBufferPointer(rebasing: rest[..<end])
            let needed = rows(line)
            if left < needed {
                switch ask() {
                case .page: left = max(1, size.height - 1)
                case .line: left = needed
                case .rest:
                    Terminal.writeAtOnce(rest)
                    return .open
                case .stop: return .closed
                }
            }
            Terminal.writeAtOnce(line)
            left -= needed
            rest = UnsafeRawBufferPointer(rebasing: rest[end...])
        }
        return .own(free: left)
    }

    /// Of the window, that a line takes.
    private func rows(_ line: UnsafeRawBufferPointer) -> Int {
        guard line.count >= size.width else { return 1 }
        let width = TerminalText.width(of: String(decoding: line.filter { $0 != 0x0A }, as: UTF8.self))
        return max(1, (width + size.width - 1) / size.width)
    }

    private enum Answer {
        case page, line, rest, stop
    }

    private static let question = "-- more: Space a page, Enter a line, G the rest, Q enough --"

    private func ask() -> Answer {
        let shown = String(Self.question.prefix(max(1, size.width - 1)))
        Terminal.writeAtOnce(shown)
        RawMode.shared.enter()
        defer {
            RawMode.shared.leave()
            Terminal.writeAtOnce("\r\u{1B}[K")
        }
        while let byte = readKey() {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "f"): return .page
            case 0x0D, 0x0A, UInt8(ascii: "j"): return .line
            case UInt8(ascii: "G"), UInt8(ascii: "g"): return .rest
            case UInt8(ascii: "q"), UInt8(ascii: "Q"), 0x03, 0x04, 0x1B: return .stop
            default: continue
            }
        }
        return .stop
    }

    /// nil when there will be none.
    private func readKey() -> UInt8? {
        while true {
            var sources = [
                pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wake.readEnd, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&sources, 2, -1) > 0 || errno == EINTR else { return nil }
            if sources[1].revents != 0 {
                wake.clear()
                return nil
            }
            guard sources[0].revents != 0 else { continue }
            var byte: UInt8 = 0
            return read(STDIN_FILENO, &byte, 1) == 1 ? byte : nil
        }
    }
}

extension PagedOutput.Phase {
    /// The pager has ended already.
    fileprivate static func closedAfter(_ process: PagerProcess) -> Self {
        process.finish()
        return .closed
    }
}
