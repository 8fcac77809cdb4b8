import DequeModule
import Glibc
import Synchronization

/// One OS thread that runs jobs, timers and socket waits, and nothing else runs on it.
///
/// An actor that returns `asUnownedSerialExecutor()` as its executor lives on this thread: its `async` code
/// may wait for sockets and time, and every resumption comes back here. Jobs run in the order they were
/// enqueued; due timers and ready sockets are looked at between rounds of jobs, so neither starves.
// Safe: `shared` is behind a mutex; `local` is touched by the loop's own thread only, which every entry checks.
package final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    package let name: String

    private enum Job {
        case task(UnownedJob)
        case work(@Sendable () -> Void)
    }

    /// What other threads may touch.
    private struct Shared: ~Copyable {
        var jobs: Deque<Job> = []
        var isPolling = false
        var isStopping = false
        var hasEnded = false
        var watchers: [UnsafeContinuation<Void, Never>] = []
    }

    private let shared = Mutex(Shared())
    private let wakeUp = WakeUp()
    private let threadIdentity = Atomic<UInt>(0)

    // Loop thread only.
    private var jobs: Deque<Job> = []
    private var timers = TimerQueue()
    private var waits = WaitTable()
    private var lastID: UInt64 = 0
    /// Waits that were begun and have not returned yet.
    var suspensions = 0
    private var hasStopped = false

    /// Starts the loop's thread; `name` (15 bytes are shown) is what `top -H` prints.
    package init(name: String) {
        self.name = name
        pthread_detach(Thread.start(name: name) { [self] in run() })
    }

    deinit { wakeUp.close() }

    /// Whether the caller runs on this loop's thread.
    package var isCurrent: Bool { threadIdentity.load(ordering: .relaxed) == UInt(pthread_self()) }

    /// Tells the thread to end after the jobs that are queued now, and returns at once. Open waits and later ones
    /// fail with `.stopped`; blocking work that was handed to a helper is waited for; later jobs are dropped.
    package func stop() {
        let mustWake = shared.withLock { shared in
            shared.isStopping = true
            return shared.isPolling
        }
        if mustWake { wakeUp.signal() }
    }

    /// Waits until the thread has ended; not to be called on it.
    package func untilStopped() async {
        await withUnsafeContinuation { continuation in
            let hasEnded = shared.withLock { shared in
                if !shared.hasEnded { shared.watchers.append(continuation) }
                return shared.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }

    /// Runs `work` on the loop's thread; from any thread, never before the call returns.
    package func post(_ work: @escaping @Sendable () -> Void) {
        submit(.work(work))
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        submit(.task(UnownedJob(job)))
    }

    package func checkIsolated() {
        precondition(isCurrent, "code of event loop \"\(name)\" runs on another thread")
    }

    package func isIsolatingCurrentContext() -> Bool? { isCurrent }

    private func submit(_ job: Job) {
        if isCurrent {
            jobs.append(job)
            return
        }
        let mustWake = shared.withLock { shared in
            shared.jobs.append(job)
            return shared.isPolling
        }
        if mustWake { wakeUp.signal() }
    }
}

// MARK: - Waiting, on the loop's thread

extension EventLoop {
    /// Waits until `descriptor` is ready for `event`; an error or hang-up on it counts as ready, for the next
    /// call on the socket tells what it is. Throws `.timedOut` at `deadline`, `.cancelled` with the task.
    package func wait(
        for event: SocketEvent, on descriptor: CInt, until deadline: ContinuousClock.Instant? = nil
    ) async throws(WaitError) {
        checkIsolated()
        let id = makeID()
        try await suspend(id) { continuation in
            waits.add(Wait(id: id, event: event, deadline: deadline, continuation: continuation), on: descriptor)
        }
    }

    /// Waits until `deadline`. Throws `.cancelled` with the task.
    package func sleep(until deadline: ContinuousClock.Instant) async throws(WaitError) {
        checkIsolated()
        let id = makeID()
        try await suspend(id) { timers.add(id, at: deadline, .resume($0)) }
    }

    /// Calls `action` on the loop's thread at `deadline`, unless cancelled before.
    @discardableResult
    package func schedule(at deadline: ContinuousClock.Instant, _ action: @escaping () -> Void) -> TimerID {
        checkIsolated()
        let id = makeID()
        timers.add(id, at: deadline, .call(action))
        return TimerID(value: id)
    }

    /// Forgets a timer; one that has fired or was cancelled is ignored.
    package func cancel(_ timer: TimerID) {
        checkIsolated()
        _ = timers.remove(timer.value)
    }

    private func makeID() -> UInt64 {
        lastID += 1
        return lastID
    }

    /// The explicit `isolation`, captured, keeps the closures on the caller's actor: in a function that merely runs
    /// there, `withTaskCancellationHandler` (Swift 6.3) hops to the global pool.
    private func suspend(
        _ id: UInt64, isolation: isolated (any Actor)? = #isolation, _ register: (WaitContinuation) -> Void
    ) async throws(WaitError) {
        suspensions += 1
        defer { suspensions -= 1 }
        let outcome = await withTaskCancellationHandler {
            _ = isolation
            // A continuation resumes on the task's executor first: without a preference, that is the global pool.
            return await withTaskExecutorPreference(self) {
                _ = isolation
                return await withUnsafeContinuation { (continuation: WaitContinuation) in
                    if Task.isCancelled {
                        continuation.resume(returning: .failure(.cancelled))
                    } else if hasStopped {
                        continuation.resume(returning: .failure(.stopped))
                    } else {
                        register(continuation)
                    }
                }
            }
        } onCancel: {
            if isCurrent { fail(id) } else { post { [self] in fail(id) } }
        }
        try outcome.get()
    }

    private func fail(_ id: UInt64) {
        if let wait = waits.remove(id) {
            wait.continuation.resume(returning: .failure(.cancelled))
        } else if case .resume(let continuation) = timers.remove(id) {
            continuation.resume(returning: .failure(.cancelled))
        }
    }
}

// MARK: - The thread

extension EventLoop {
    private func run() {
        threadIdentity.store(UInt(pthread_self()), ordering: .relaxed)
        while takeSharedJobs() {
            runJobs(count: jobs.count)
            fireTimers()
            pollSockets()
        }
        let watchers = shared.withLock { shared in
            shared.hasEnded = true
            return shared.watchers
        }
        for watcher in watchers { watcher.resume() }
    }

    /// Returns false when the loop was told to stop and nobody is on the way back to it.
    private func takeSharedJobs() -> Bool {
        let isStopping = shared.withLock { shared in
            shared.isPolling = false
            while let job = shared.jobs.popFirst() { jobs.append(job) }
            return shared.isStopping
        }
        guard isStopping else { return true }
        if !hasStopped {
            failWaits()
            return true
        }
        return !jobs.isEmpty || suspensions > 0
    }

    private func runJobs(count: Int) {
        for _ in 0..<count {
            switch jobs.popFirst() {
            case .task(let job): job.runSynchronously(on: asUnownedSerialExecutor())
            case .work(let work): work()
            case nil: return
            }
        }
    }

    private func fireTimers() {
        guard let earliest = timers.earliest, earliest <= .now else { return }
        let now = ContinuousClock.now
        while let action = timers.popDue(now) {
            switch action {
            case .call(let body): body()
            case .resume(let continuation): continuation.resume(returning: .success(()))
            }
        }
    }

    private func pollSockets() {
        let ready = waits.poll(wakeUp: wakeUp.descriptor, timeout: pollTimeout())
        if ready.wokenUp { wakeUp.clear() }
        for wait in ready.waits { wait.continuation.resume(returning: .success(())) }
        for wait in ready.expired { wait.continuation.resume(returning: .failure(.timedOut)) }
    }

    /// How long a loop that was stopped stays for code that a failed wait let go on: unoptimised, it may come back
    /// by way of the global pool more than once.
    private static let linger: Duration = .milliseconds(50)

    /// Zero while there is work, nil while there is nothing to wait for in time. From here until
    /// `takeSharedJobs`, whoever submits a job also writes to the wake-up descriptor.
    private func pollTimeout() -> Duration? {
        let hasWork =
            !jobs.isEmpty
            || shared.withLock { shared in
                guard shared.jobs.isEmpty, !shared.isStopping || hasStopped else { return true }
                shared.isPolling = true
                return false
            }
        if hasWork { return .zero }
        if hasStopped { return Self.linger }
        let deadlines = [timers.earliest, waits.earliestDeadline].compactMap(\.self)
        return deadlines.min().map { max(.zero, $0 - .now) }
    }

    private func failWaits() {
        hasStopped = true
        for wait in waits.removeAll() { wait.continuation.resume(returning: .failure(.stopped)) }
        for case .resume(let continuation) in timers.removeAll() {
            continuation.resume(returning: .failure(.stopped))
        }
    }
}

/// Names a timer of one event loop.
package struct TimerID: Hashable, Sendable {
    fileprivate let value: UInt64
}
