/// What commands do with the pipelines of a file. `run(.file)` comes first, and gives `pipelines`.
extension ScriptHost {
    /// Those that the file has returned; empty for a plain script.
    package var pipelines: [PipelineSummary] { [] }

    /// How far the pipelines that run are; from any thread.
    package func progress() -> [PipelineProgress] { [] }

    /// Copies what was not copied yet, all pipelines at once. Interrupted (`interrupt()`), it ends in good order.
    package func runPipelines() async -> PipelineOutcome<[PipelineResult]> { .failed([]) }

    package func check() async -> PipelineOutcome<[CheckFinding]> { .failed([]) }

    package func plan() async -> PipelineOutcome<[PlanReport]> { .failed([]) }

    /// `rows` of each table, or of the one that is named, writing nothing.
    package func preview(rows: Int, table: String?) async -> PipelineOutcome<[PreviewReport]> { .failed([]) }

    package func verify(repair: Bool, table: String?) async -> PipelineOutcome<[VerifyReport]> { .failed([]) }

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

    /// Copies one table (as the pipeline names it on the source) anew.
    package func resnapshot(_ table: String) async -> PipelineOutcome<[PipelineResult]> { .failed([]) }
}
