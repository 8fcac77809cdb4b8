import EventLoops

/// A thread for tests that block: on Swift's own few threads they would hold up every other test.
@globalActor
actor BlockingThread {
    static let shared = BlockingThread()

    private let loop = EventLoop(name: "blocking tests")

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
}
