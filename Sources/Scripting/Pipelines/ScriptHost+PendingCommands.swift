/// Commands whose work is not there yet.
extension ScriptHost {
    package func check() async -> PipelineOutcome<[CheckFinding]> { .failed([]) }
}
