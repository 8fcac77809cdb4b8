import CLuaShim
import LuaRuntime
import PostgresProtocol
import Replication

/// A script's function for the rows of a table, in one Lua state. Lives on its worker's loop.
///
/// Rows are views, with the columns' target names; they are valid until the function returns.
final class LuaRowTransform: RowTransform {
    let mapping: TableMapping
    let worker: ScriptWorker
    let library: TransformLibrary
    let function: TransformFunction
    let time: FunctionTime
    /// Where the function begins, for errors that are noticed after it has returned.
    let place: String?
    private let timeLimit: Duration?
    private var known: (columns: [InputColumn], factory: RowFactory)?

    /// `function` is kept by whoever has made it.
    init(
        _ function: TransformFunction, _ limits: PipelineLimits, _ mapping: TableMapping, _ library: TransformLibrary,
        _ time: FunctionTime, _ worker: ScriptWorker
    ) {
        self.time = time
        self.function = function
        timeLimit = function.isBatch ? limits.batchTime : limits.rowTime
        self.mapping = mapping
        self.library = library
        self.worker = worker
        rh_collect_young(worker.state.stack.thread)
        worker.state.stack.push(function.reference)
        place = worker.state.stack.popDefinition()
    }

    func run(_ input: any RowInput, _ output: ChunkOutput) async throws(ReplicationError) {
        let state = worker.state
        if let timeLimit { state.timeLimit = timeLimit }
        defer { state.timeLimit = state.options.timeLimit }
        try await TransformRun(self, factory(for: input.columns), input, output).perform()
    }

    /// The driver in `replhost.transforms`.
    var driver: String {
        let name = function.isBatch ? "batches" : "rows"
        return mapping.options.onError == .stop ? name : "guarded_\(name)"
    }

    private func factory(for columns: [InputColumn]) -> RowFactory {
        if let known, known.columns == columns { return known.factory }
        let targets = Dictionary(
            mapping.columns.map { ($0.source, $0.target) }, uniquingKeysWith: { first, _ in first })
        let shown = columns.map {
            RowShape.Column(name: targets[$0.name] ?? $0.name, type: $0.type, kind: $0.kind, format: $0.format)
        }
        let added = mapping.added.map { name in
            let column = mapping.target.column(name)
            return RowShape.Column(
                name: name, type: column?.type ?? .text, kind: column?.kind ?? .text, format: .text)
        }
        let factory = worker.rows.factory(shown, added: added, in: worker.state.stack)
        known = (columns, factory)
        return factory
    }
}

/// `transform` or `transform_batch` of a rule.
struct TransformFunction {
    let reference: LuaReference
    let isBatch: Bool
}
