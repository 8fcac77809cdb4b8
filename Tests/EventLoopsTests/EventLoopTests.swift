import EventLoops
import Glibc
import Synchronization
import Testing

/// Code that lives on a loop, as the host's actors do.
private actor Pinned {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(_ loop: EventLoop) { self.loop = loop }

    func run<Value: Sendable, Failure: Error>(
        _ body: @Sendable (isolated Pinned) async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        try await body(self)
    }
}

@Suite
struct EventLoopTests {
    let loop: EventLoop
    private let pinned: Pinned

    init() {
        loop = EventLoop(name: "test")
        pinned = Pinned(loop)
    }

    private func socketPair() -> (CInt, CInt) {
        var ends: [CInt] = [0, 0]
        socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends)
        return (ends[0], ends[1])
    }

    @Test func runsActorsOnItsThread() async {
        let onLoop = await pinned.run { $0.loop.isCurrent }

        #expect(onLoop)
        #expect(!loop.isCurrent)
        loop.stop()
    }

    @Test func runsPostedWorkInOrder() async {
        let order = Mutex<[Int]>([])
        await withCheckedContinuation { continuation in
            for number in 0..<100 { loop.post { order.withLock { $0.append(number) } } }
            loop.post { continuation.resume() }
        }

        #expect(order.withLock { $0 } == Array(0..<100))
        loop.stop()
    }

    @Test func waitsUntilASocketIsReadable() async throws {
        let (reader, writer) = socketPair()
        let waiting = Task { try await pinned.run { try await $0.loop.wait(for: .readable, on: reader) } }
        var byte: UInt8 = 7
        _ = write(writer, &byte, 1)
        try await waiting.value

        #expect(recv(reader, &byte, 1, CInt(MSG_DONTWAIT)) == 1)
        loop.stop()
    }

    @Test func aHangUpEndsAWait() async throws {
        let (reader, writer) = socketPair()
        close(writer)

        try await pinned.run { try await $0.loop.wait(for: .readable, on: reader) }
        loop.stop()
    }

    @Test func aWaitEndsAtItsDeadline() async {
        let (reader, _) = socketPair()
        let start = ContinuousClock.now

        await #expect(throws: WaitError.timedOut) {
            try await pinned.run {
                try await $0.loop.wait(for: .readable, on: reader, until: start + .milliseconds(20))
            }
        }
        #expect(ContinuousClock.now - start >= .milliseconds(20))
        loop.stop()
    }

    @Test func cancellingATaskEndsItsWaitAndItsSleep() async {
        let (reader, _) = socketPair()
        let wait = Task { try await pinned.run { try await $0.loop.wait(for: .readable, on: reader) } }
        let sleep = Task { try await pinned.run { try await $0.loop.sleep(until: .now + .seconds(3600)) } }
        await pinned.run { _ in }
        wait.cancel()
        sleep.cancel()

        await #expect(throws: WaitError.cancelled) { try await wait.value }
        await #expect(throws: WaitError.cancelled) { try await sleep.value }
        loop.stop()
    }

    @Test func stoppingFailsWhatStillWaits() async {
        let (reader, _) = socketPair()
        let (started, starts) = AsyncStream.makeStream(of: Void.self)
        let wait = Task {
            try await pinned.run {
                starts.yield()
                try await $0.loop.wait(for: .readable, on: reader)
            }
        }
        let sleep = Task {
            try await pinned.run {
                starts.yield()
                try await $0.loop.sleep(until: .now + .seconds(3600))
            }
        }
        for await _ in started.prefix(2) {}
        loop.stop()
        await loop.untilStopped()

        await #expect(throws: WaitError.stopped) { try await wait.value }
        await #expect(throws: WaitError.stopped) { try await sleep.value }
    }

    @Test func timersFireInTheOrderOfTheirDeadlinesAndCancelledOnesNever() async {
        let fired: [Int] = await withCheckedContinuation { continuation in
            loop.post { [loop] in
                let now = ContinuousClock.now
                let fired = Mutex<[Int]>([])
                for number in [3, 1, 2] {
                    loop.schedule(at: now + .milliseconds(number)) { fired.withLock { $0.append(number) } }
                }
                let cancelled = loop.schedule(at: now) { fired.withLock { $0.append(0) } }
                loop.cancel(cancelled)
                loop.schedule(at: now + .milliseconds(4)) { continuation.resume(returning: fired.withLock { $0 }) }
            }
        }

        #expect(fired == [1, 2, 3])
        loop.stop()
    }

    @Test func jobsThatComeFromJobsDoNotStarveSockets() async throws {
        let (reader, writer) = socketPair()
        let isDone = Atomic(false)
        @Sendable func spin() {
            if !isDone.load(ordering: .relaxed) { loop.post(spin) }
        }
        loop.post(spin)
        var byte: UInt8 = 7
        _ = write(writer, &byte, 1)

        try await pinned.run { try await $0.loop.wait(for: .readable, on: reader) }
        isDone.store(true, ordering: .relaxed)
        loop.stop()
    }

    @Test func blockingWorkLeavesTheLoopFree() async {
        let gate = socketPair()
        let answer = Task {
            await pinned.run { pinned in
                await pinned.loop.offload {
                    var byte: UInt8 = 0
                    return recv(gate.0, &byte, 1, 0) == 1 ? byte : 0
                }
            }
        }
        await pinned.run { _ in
            var byte: UInt8 = 42
            _ = write(gate.1, &byte, 1)
        }

        #expect(await answer.value == 42)
        loop.stop()
    }

    @Test func tenThousandSleepersAllWake() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<10_000 {
                group.addTask {
                    try await pinned.run { try await $0.loop.sleep(until: .now + .microseconds(number)) }
                }
            }
            try await group.waitForAll()
        }
        loop.stop()
    }
}
