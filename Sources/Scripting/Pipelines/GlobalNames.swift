import Glibc
import LuaRuntime

/// Finds names in a script's text that are nothing, or that are seen by every file: most are misspelt, or lack a `local`.
struct GlobalNames {
    private let state: LuaState
    private let options: LuaOptions
    /// What every script finds.
    private let given: Set<String>

    /// - Parameter state: the script has run in it.
    init(_ state: LuaState) throws(ScriptError) {
        self.state = state
        options = state.options
        let fresh = try LuaState(options)
        defer { fresh.close() }
        given = fresh.globalNames.union(["arg"])
    }

    /// In the script itself and in the modules of its directory that it has loaded.
    func findings(in source: ScriptSource) throws(ScriptError) -> [CheckFinding] {
        var texts: [(file: String, names: ChunkNames)] = []
        switch source {
        case .text(let text, let name): texts.append((name, try state.names(in: ScriptText.prepared(text))))
        case .file(let path): texts.append((path, try names(of: path)))
        }
        for path in modules { texts.append((path, try names(of: path))) }
        let written = texts.flatMap(\.names.globals).filter(\.isWrite).map(\.name)
        let known = state.globalNames.union(given).union(written)
        return texts.flatMap { findings($0.names, in: $0.file, known) }
    }

    private func names(of path: String) throws(ScriptError) -> ChunkNames {
        try state.names(in: ScriptText.prepared(try ScriptText.read(path)))
    }

    /// Files of the script's own directory; the standard library's are elsewhere.
    private var modules: [String] {
        state.loadedModules.sorted().compactMap { name in
            let path = "\(options.directory)/\(name.replacing(".", with: "/"))"
            return ["\(path).lua", "\(path)/init.lua"].first { access($0, R_OK) == 0 }
        }
    }

    /// Each name once, where it is first.
    private func findings(_ names: ChunkNames, in file: String, _ known: Set<String>) -> [CheckFinding] {
        var seen: Set<String> = []
        let globals = names.globals.sorted { $0.line < $1.line }
        let wrong = globals.filter { $0.isWrite ? !given.contains($0.name) : !known.contains($0.name) }
        return wrong.filter { seen.insert($0.name).inserted }.map { access in
            let place = SourcePlace(file: file, line: access.line)
            let report =
                access.isWrite
                ? Self.written(access.name, place) : Self.unknown(access.name, place, known.union(names.locals))
            return CheckFinding(.warning, pipeline: nil, report)
        }
    }

    private static func unknown(_ name: String, _ place: SourcePlace, _ known: Set<String>) -> FailureReport {
        let meant = Suggestion.nearest(to: name, among: known.sorted())
        return FailureReport(
            code: "RH3513", "nothing has the name \"\(name)\"",
            hint: meant.map { "Did you mean \"\($0)\"?" } ?? "Without a value it is nil.", place: place)
    }

    private static func written(_ name: String, _ place: SourcePlace) -> FailureReport {
        FailureReport(
            code: "RH3514", "\"\(name)\" is a global variable", hint: "Write \"local\" before its first use.",
            place: place)
    }
}

extension LuaState {
    /// Names that the state's code finds.
    fileprivate var globalNames: Set<String> {
        stack.pushGlobals()
        defer { stack.pop() }
        return names(ofTableAt: -1)
    }

    fileprivate var loadedModules: Set<String> {
        stack.pushGlobals()
        stack.getField("package", of: -1)
        defer { stack.pop(2) }
        guard stack.type(at: -1) == .table else { return [] }
        stack.getField("loaded", of: -1)
        defer { stack.pop() }
        return stack.type(at: -1) == .table ? names(ofTableAt: -1) : []
    }

    private func names(ofTableAt index: Int32) -> Set<String> {
        var names: Set<String> = []
        stack.forEach(in: index) { key, _ in
            if stack.type(at: key) == .string, let name = stack.string(at: key) { names.insert(name) }
        }
        return names
    }
}
