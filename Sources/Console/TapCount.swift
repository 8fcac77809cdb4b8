import Synchronization

/// How many changes were shown.
final class TapCount: Sendable {
    private let shown = Atomic(0)

    /// With the one that is shown now.
    func next() -> Int { shown.add(1, ordering: .relaxed).newValue }
}
