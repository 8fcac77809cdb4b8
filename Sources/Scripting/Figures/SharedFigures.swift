/// What all workers of a process count together.
final class SharedFigures: Sendable {
    let functions = FunctionTimes()
    let metrics = MetricRegistry()
    let workers = WorkerList()
}
