/// Commands whose work is not there yet.
extension ScriptHost {
    package func check() async -> PipelineOutcome<[CheckFinding]> { .failed([]) }

    package func plan() async -> PipelineOutcome<[PlanReport]> { .failed([]) }

    /// `rows` of each table, or of the one that is named, writing nothing.
    package func preview(rows: Int, table: String?) async -> PipelineOutcome<[PreviewReport]> { .failed([]) }

    package func status() async -> PipelineOutcome<[StatusReport]> { .failed([]) }

    package func deadLetters(_ selection: DeadLetterSelection) async -> PipelineOutcome<[DeadLetterReport]> {
        .failed([])
    }

    package func retryDeadLetters(_ selection: DeadLetterSelection) async -> PipelineOutcome<RetryReport> {
        .failed([])
    }

    /// How many were removed.
    package func purgeDeadLetters(_ selection: DeadLetterSelection) async -> PipelineOutcome<Int> { .failed([]) }

    /// What `drop` would remove, for people; empty if there is nothing.
    package func describeDrop() async -> PipelineOutcome<[String]> { .failed([]) }

    /// Forgets the pipelines' progress; the copied tables stay. What was removed.
    package func drop() async -> PipelineOutcome<[String]> { .failed([]) }
}
