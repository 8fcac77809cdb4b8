/// How long lost servers are waited for, and tried again.
struct Patience {
    private static let longest: Duration = .seconds(600)
    private static let firstPause: Duration = .milliseconds(250)
    private static let longestPause: Duration = .seconds(10)
    /// An attempt that took so long had found its servers.
    private static let lasting: Duration = .seconds(120)

    /// When the latest series of failures began, and the latest attempt.
    private var began = ContinuousClock.now
    private var tried = ContinuousClock.now
    private var pause = Self.firstPause
    private var moved = 0

    /// Throws the error if trying again is of no use.
    /// - Parameter moved: a measure of what has been done, which is another one if there was progress.
    mutating func pause(
        after error: ReplicationError, moved: Int, wasConnected: Bool
    ) throws(ReplicationError) -> Duration {
        let now = ContinuousClock.now
        if moved != self.moved || now - tried > Self.lasting {
            self.moved = moved
            began = now
            pause = Self.firstPause
        }
        guard wasConnected, error.isTransient, now - began < Self.longest else { throw error }
        tried = now + pause
        defer { pause = min(pause * 2, Self.longestPause) }
        return pause
    }
}
