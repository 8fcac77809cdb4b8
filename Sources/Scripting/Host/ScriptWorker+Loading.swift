import EventLoops
import LuaRuntime

extension ScriptWorker {
    /// A worker for the script of `source`, whose directory is where its modules are.
    convenience init(
        for source: ScriptSource, _ options: ScriptOptions, on actor: LoopActor
    ) throws(ScriptError) {
        var lua = LuaOptions(directory: Self.directory(of: source))
        lua.libraryDirectory = StandardLibrary.directory
        lua.permissions = options.permissions
        lua.isStrict = options.isStrict
        lua.memoryLimit = options.memoryLimit
        lua.timeLimit = options.timeLimit
        try self.init(options, lua, on: actor)
        setArguments(source)
    }

    /// Compiles the script; its main chunk is on top of the stack.
    func load(_ source: ScriptSource) throws(ScriptError) {
        switch source {
        case .text(let text, let name): try state.load(ScriptText.prepared(text), named: name)
        case .file(let path): try state.load(ScriptText.prepared(try ScriptText.read(path)), named: "@\(path)")
        }
    }

    /// Makes a task of the chunk on top of the stack, called with the script's arguments.
    func start() -> LuaTask {
        for argument in options.arguments { state.stack.push(argument) }
        return scheduler.spawn(state.stack, arguments: Int32(options.arguments.count), origin: nil)
    }

    private static func directory(of source: ScriptSource) -> String {
        if case .file(let path) = source, let real = StandardLibrary.realPath(path) {
            let parent = StandardLibrary.parent(of: real)
            return parent.isEmpty ? "/" : parent
        }
        return StandardLibrary.realPath(".") ?? "/"
    }

    private func setArguments(_ source: ScriptSource) {
        let stack = state.stack
        stack.pushGlobals()
        stack.pushTable(arrayCount: options.arguments.count)
        for (position, argument) in options.arguments.enumerated() {
            stack.push(argument)
            stack.setElement(position + 1, of: -2)
        }
        switch source {
        case .file(let path): stack.push(path)
        case .text(_, let name): stack.push(String(name.drop { $0 == "=" }))
        }
        stack.setElement(0, of: -2)
        stack.setField("arg", of: -2)
        stack.pop()
    }
}
