@preconcurrency import Glibc
import Synchronization

/// What comes from outside while something runs. The main thread waits for it; no other thread sees these signals.
package final class Signals: Sendable {
    package enum Event: Sendable {
        /// Ctrl-C.
        case interrupt
        case terminate
        /// SIGHUP.
        case hangUp
        /// Nobody reads standard output any more.
        case outputBroken
        /// The time set with `expire(after:)` is over.
        case expired
    }

    private let reaction = Mutex<(@Sendable (Event) -> Void)?>(nil)

    /// To be made before any other thread is started: threads inherit what is blocked.
    package init() {
        var signals = Self.waited
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        // Only pipes raise it here (libpq's sockets do not). One of them being standard output ends the program quietly.
        signal(SIGPIPE) { _ in
            let code = errno
            if Terminal.outputIsBroken { kill(getpid(), SIGURG) }
            errno = code
        }
    }

    /// `body` is called on the main thread, one event after the other. Without one, every signal ends the process.
    package func react(_ body: (@Sendable (Event) -> Void)?) {
        reaction.withLock { $0 = body }
    }

    /// An event `.expired` in so many seconds; 0 calls it off.
    package static func expire(after seconds: UInt32) {
        alarm(seconds)
    }

    /// For the main thread, as long as the process lives.
    package func watch() -> Never {
        var signals = Self.waited
        while true {
            var number: CInt = 0
            guard sigwait(&signals, &number) == 0, let event = Self.event(number) else { continue }
            guard let reaction = reaction.withLock({ $0 }) else { _exit(ExitCode.interrupted) }
            reaction(event)
        }
    }

    private static func event(_ number: CInt) -> Event? {
        switch number {
        case SIGINT: .interrupt
        case SIGTERM: .terminate
        case SIGHUP: .hangUp
        case SIGURG: Terminal.outputIsBroken ? .outputBroken : nil
        case SIGALRM: .expired
        default: nil
        }
    }

    private static var waited: sigset_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM, SIGURG, SIGALRM] { sigaddset(&signals, number) }
        if !isIgnored(SIGHUP) { sigaddset(&signals, SIGHUP) }
        return signals
    }

    /// As `nohup` leaves it.
    private static func isIgnored(_ number: CInt) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    }
}
