import LuaRuntime
import Replication

/// The durable values (`rh.state`) that the functions of one chunk see: as the target had them when they were first asked
/// for, with the chunk's own changes.
final class ChunkState {
    private struct Name: Hashable {
        let store: String
        let key: String
    }

    /// Where values are read, by whoever sends rows there.
    unowned var output: ChunkOutput
    private var loaded: [String: [String: String]] = [:]
    private var changes: [Name: StateChange.Effect] = [:]
    /// What the changes since the last `keep` have replaced.
    private var journal: [(name: Name, before: StateChange.Effect?)] = []

    init(_ output: ChunkOutput) { self.output = output }

    func isLoaded(_ store: String) -> Bool { loaded[store] != nil }

    func load(_ store: String) async throws(ReplicationError) {
        loaded[store] = try await output.values(ofStore: store)
    }

    /// JSON.
    func value(_ store: String, _ key: String) throws(ScriptError) -> String? {
        switch changes[Name(store: store, key: key)] {
        case .set(let json): json
        case .remove: nil
        case .add(let number): String(try sum(loaded[store]?[key], number, key))
        case nil: loaded[store]?[key]
        }
    }

    func keys(_ store: String) -> Set<String> {
        Set(loaded[store]?.keys.map(\.self) ?? []).union(changes.keys.filter { $0.store == store }.map(\.key))
    }

    func set(_ store: String, _ key: String, _ json: String?) {
        change(Name(store: store, key: key), json.map { .set(json: $0) } ?? .remove)
    }

    /// Returns the new value.
    func add(_ number: Int64, to store: String, _ key: String) throws(ScriptError) -> Int64 {
        let name = Name(store: store, key: key)
        let total = try sum(try value(store, key), number, key)
        switch changes[name] {
        case .set, .remove: change(name, .set(json: String(total)))
        case .add(let before): change(name, .add(try sum(String(before), number, key)))
        case nil: change(name, .add(number))
        }
        return total
    }

    /// What was changed belongs to a row that was written.
    @inline(__always)
    func keep() {
        if !journal.isEmpty { journal.removeAll(keepingCapacity: true) }
    }

    /// Takes back what was changed since.
    func undo() {
        for (name, before) in journal.reversed() { changes[name] = before }
        journal.removeAll(keepingCapacity: true)
    }

    /// The changes that are to be written, which count as values from now on.
    func takeChanges() -> [StateChange] {
        let taken = changes.map { StateChange(store: $0.store, key: $0.key, effect: $1) }
        for (name, effect) in changes {
            let value: String? =
                switch effect {
                case .set(let json): json
                case .add(let number): String(number + (Int64(loaded[name.store]?[name.key] ?? "0") ?? 0))
                case .remove: nil
                }
            loaded[name.store]?[name.key] = value
        }
        changes.removeAll()
        keep()
        return taken
    }

    private func change(_ name: Name, _ effect: StateChange.Effect) {
        journal.append((name, changes[name]))
        changes[name] = effect
    }

    private func sum(_ json: String?, _ number: Int64, _ key: String) throws(ScriptError) -> Int64 {
        guard let value = Int64(json ?? "0") else {
            throw ScriptError(code: "RH3210", "state:incr: the value of \"\(key)\" is not an integer")
        }
        let (sum, isOver) = value.addingReportingOverflow(number)
        if isOver { throw ScriptError(code: "RH3210", "state:incr: the value of \"\(key)\" would be out of range") }
        return sum
    }
}

/// What `replhost.state` asks the host for.
enum StateFunctions {
    /// Arguments: "get", "set", "incr" or "all", the store's name, for all but "all" a key, and what is set or added.
    static func call(_ stack: LuaStack, _ worker: ScriptWorker) throws(ScriptError) -> Int32 {
        let task = worker.scheduler.current.map { ObjectIdentifier($0) }
        guard let run = task.flatMap({ worker.transformRuns[$0] }) else {
            throw ScriptError(
                code: "RH3209", "rh.state is used outside of a transform",
                hint: "Its values belong to the rows of a chunk, and are committed with them.")
        }
        let store = stack.string(at: 2) ?? ""
        let state = run.state
        guard !state.isLoaded(store) else { return try perform(state, store, stack) }
        return try run.load(store, stack) { stack throws(ScriptError) in try perform(state, store, stack) }
    }

    private static func perform(_ state: ChunkState, _ store: String, _ stack: LuaStack) throws(ScriptError) -> Int32 {
        let key = stack.string(at: 3) ?? ""
        switch stack.string(at: 1) {
        case "set":
            state.set(store, key, stack.string(at: 4))
            return 0
        case "incr": stack.push(try state.add(stack.integer(at: 4) ?? 0, to: store, key))
        case "all": try pushAll(state, store, stack)
        default: push(try state.value(store, key), to: stack)
        }
        return 1
    }

    private static func pushAll(_ state: ChunkState, _ store: String, _ stack: LuaStack) throws(ScriptError) {
        stack.pushTable()
        for key in state.keys(store) {
            guard let json = try state.value(store, key) else { continue }
            stack.push(json)
            stack.setField(key, of: -2)
        }
    }

    private static func push(_ text: String?, to stack: LuaStack) {
        if let text { stack.push(text) } else { stack.pushNil() }
    }
}
