import EventLoops
import Postgres
import PostgresProtocol

/// Waits for the stream of a pipeline that another replhost runs.
struct StreamFollower: Sendable {
    private static let pause: Duration = .milliseconds(20)
    /// Without any movement.
    private static let patience: Duration = .seconds(600)

    let pipeline: String

    /// Returns when all changes before `position` are in the target.
    func pass(_ position: LSN, source: Connection, target: Connection) async throws(ReplicationError) {
        // A stream that has nothing to do keeps its position to itself unless it is asked.
        try await source.run(
            """
            SELECT pg_logical_emit_message(false, '\(StreamControl.prefix)', '\(StreamControl.positionRequest)')
            WHERE NOT pg_is_in_recovery()
            """, on: .source, doing: "asking the stream for its position")
        let ledger = Ledger(target, pipeline: pipeline)
        var (last, movedAt) = (LSN.zero, ContinuousClock.now)
        while let reached = try await ledger.stream()?.position {
            if reached >= position { return }
            if reached != last { (last, movedAt) = (reached, .now) }
            guard try await ledger.owner() != nil, ContinuousClock.now - movedAt < Self.patience else { break }
            do { try await target.loop.sleep(until: .now + Self.pause) } catch { throw .cancelled }
        }
        throw .mismatch(
            code: "RH3413", "the stream of pipeline \"\(pipeline)\" has not got to \(position) of the source's log",
            hint: "It has ended or stands still: see \"replhost status\", and verify once more.")
    }
}
