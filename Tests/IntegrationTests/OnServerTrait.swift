import Synchronization
import Testing

/// Lets only a few tests use real servers at once.
///
/// Swift Testing begins all tests together. With servers behind them, each would wait for all the others while its own
/// deadlines run out.
struct OnServerTrait: SuiteTrait, TestTrait, TestScoping {
    let isRecursive = true

    private static let places = Places(2)

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        await Self.places.take()
        defer { Self.places.giveBack() }
        try await function()
    }
}

extension Trait where Self == OnServerTrait {
    /// The suite's tests use real servers.
    static var onServer: Self { Self() }
}

/// A semaphore for tasks, first come first served.
private final class Places: Sendable {
    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(_ count: Int) {
        state = Mutex(State(free: count))
    }

    func take() async {
        await withCheckedContinuation { continuation in
            let mayGo = state.withLock { state in
                guard state.free == 0 else {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if mayGo { continuation.resume() }
        }
    }

    func giveBack() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.waiting.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
