import LuaRuntime
import Postgres
import PostgresProtocol
import Replication

/// Reads the object that `rh.pipeline` has made (`replhost.pipeline`), which has checked every option.
struct PipelineReader {
    let library: TransformLibrary
    private let stack: LuaStack
    private let index: Int32

    init(at index: Int32, of stack: LuaStack, _ library: TransformLibrary) {
        self.index = index
        self.stack = stack
        self.library = library
    }

    func definition(scriptHash: String) -> PipelineDefinition {
        var definition = PipelineDefinition(
            name: stack.text("name", of: index) ?? "", rules: rules, scriptHash: scriptHash)
        stack.withTable("snapshot", of: index) { options in
            definition.snapshot.workers = stack.number("workers", of: options).map { Int($0) }
            definition.snapshot.chunkRows = stack.number("chunk_rows", of: options).map { Int(clamping: $0) }
            definition.snapshot.mode = stack.choice("mode", of: options) ?? .initial
        }
        definition.stream.isOn = stack.flag("stream", of: index) ?? true
        let asks = stack.hasFunction(PipelineHook.schemaChange.rawValue, of: index)
        definition.stream.schemaPolicy = asks ? .ask : stack.choice("on_schema_change", of: index) ?? .stop
        if let seconds = stack.number("heartbeat", of: index) { definition.stream.heartbeat = .seconds(seconds) }
        stack.withTable("wal_budget", of: index) { options in
            definition.stream.walBudget = LogBudget(
                size: stack.number("size", of: options).map { Int(clamping: $0) } ?? .max,
                action: stack.choice("action", of: options) ?? .warn)
        }
        stack.withTable("apply", of: index) { options in
            definition.apply.connections = stack.number("connections", of: options).map { Int($0) }
        }
        stack.withTable("throttle", of: index) { options in
            definition.throttle.rowsPerSecond = stack.number("rows_per_second", of: options)
            definition.throttle.bytesPerSecond = stack.number("bytes_per_second", of: options)
        }
        return definition
    }

    func pool(_ name: String) throws(ScriptError) -> ConnectionPool {
        stack.getField(name, of: index)
        defer { stack.pop() }
        if let object = stack.object(at: -1, PoolObject.type) { return object.pool }
        throw ScriptError(code: "RH3101", "the pipeline has no pool \"\(name)\"")
    }

    var limits: PipelineLimits {
        var limits = PipelineLimits()
        stack.withTable("limits", of: index) { options in
            limits.rowTime = stack.number("row_time", of: options).map { .seconds($0) }
            limits.batchTime = stack.number("batch_time", of: options).map { .seconds($0) }
            limits.memory = stack.number("memory", of: options).map { Int(clamping: $0) }
        }
        return limits
    }

    var hooks: [PipelineHook: LuaReference] {
        var hooks: [PipelineHook: LuaReference] = [:]
        for hook in PipelineHook.allCases { hooks[hook] = stack.function(hook.rawValue, of: index) }
        return hooks
    }

    /// One for each rule, as references that the caller releases.
    var functions: [TransformFunction?] {
        mapRules { rule in
            if let reference = stack.function("transform", of: rule) {
                return TransformFunction(reference: reference, isBatch: false)
            }
            return stack.function("transform_batch", of: rule).map { TransformFunction(reference: $0, isBatch: true) }
        }
    }

    // MARK: Rules

    private var rules: [TableRule] {
        mapRules { rule in
            guard let pattern = TablePattern(stack.text("pattern", of: rule) ?? "") else { return nil }
            return TableRule(pattern, isSkip(rule) ? .skip : .copy(options(rule)))
        }.compactMap(\.self)
    }

    private func mapRules<Value>(_ read: (_ rule: Int32) -> Value?) -> [Value?] {
        var values: [Value?] = []
        stack.withTable("rules", of: index) { rules in
            for position in 0..<stack.rawCount(at: rules) {
                stack.pushElement(position + 1, of: rules)
                values.append(read(stack.count))
                stack.pop()
            }
        }
        return values
    }

    private func isSkip(_ rule: Int32) -> Bool { stack.flag("skip", of: rule) ?? false }

    private func options(_ rule: Int32) -> TableOptions {
        var options = TableOptions()
        if let name = stack.text("to", of: rule).flatMap(QualifiedName.init(parsing:)) {
            options.target = QualifiedName(schema: name.schema ?? "public", name: name.name)
        }
        options.columns = columns(rule)
        options.filter = stack.text("where", of: rule)
        stack.withTable("key", of: rule) { names in options.key = stack.texts(of: names) }
        options.onError = stack.choice("on_error", of: rule) ?? .stop
        options.onConflict = stack.choice("on_conflict", of: rule) ?? .error
        stack.withTable("types", of: rule) { types in
            stack.forEach(in: types) { key, value in
                if let name = stack.string(at: key) { options.types[name] = stack.string(at: value) }
            }
        }
        options.creates = stack.flag("create", of: rule) ?? true
        options.hasTransform =
            stack.hasFunction("transform", of: rule) || stack.hasFunction("transform_batch", of: rule)
        return options
    }

    private func columns(_ rule: Int32) -> [ColumnMapping]? {
        var columns: [ColumnMapping]?
        stack.withTable("columns", of: rule) { list in
            columns = (0..<stack.rawCount(at: list)).map { position in
                stack.pushElement(position + 1, of: list)
                defer { stack.pop() }
                return ColumnMapping(
                    source: stack.text("source", of: stack.count) ?? "",
                    target: stack.text("target", of: stack.count) ?? "")
            }
        }
        return columns
    }
}

/// Fields of tables that are known to be what they should be; nil for what is absent.
extension LuaStack {
    fileprivate func text(_ name: String, of index: Int32) -> String? {
        getField(name, of: index)
        defer { pop() }
        return string(at: -1)
    }

    fileprivate func number(_ name: String, of index: Int32) -> Double? {
        getField(name, of: index)
        defer { pop() }
        return number(at: -1)
    }

    fileprivate func flag(_ name: String, of index: Int32) -> Bool? {
        getField(name, of: index)
        defer { pop() }
        return boolean(at: -1)
    }

    fileprivate func choice<Choice: RawRepresentable<String>>(_ name: String, of index: Int32) -> Choice? {
        text(name, of: index).flatMap(Choice.init(rawValue:))
    }

    fileprivate func hasFunction(_ name: String, of index: Int32) -> Bool {
        defer { pop() }
        return getField(name, of: index) == .function
    }

    fileprivate func function(_ name: String, of index: Int32) -> LuaReference? {
        guard getField(name, of: index) == .function else {
            pop()
            return nil
        }
        return makeReference()
    }

    fileprivate func withTable(_ name: String, of index: Int32, _ body: (_ table: Int32) -> Void) {
        defer { pop() }
        if getField(name, of: index) == .table { body(count) }
    }

    fileprivate func texts(of index: Int32) -> [String] {
        (0..<rawCount(at: index)).compactMap { position in
            pushElement(position + 1, of: index)
            defer { pop() }
            return string(at: -1)
        }
    }
}

extension Int {
    fileprivate init(clamping value: Double) { self = value < 9e18 ? Int(value) : .max }
}
