import CLua
import CLuaShim
import LuaRuntime
import Scripting
import Testing

/// Runs `stdlib/test/run.lua` in a state as scripts get it, without a database.
@Suite struct StdlibTests {
    private static let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

    @Test(arguments: ["base64", "csv", "decimal", "hash", "json", "log", "mask", "rh", "time", "uuid"])
    func passes(suite: String) throws {
        var options = LuaOptions(directory: Self.root + "/stdlib/test")
        options.libraryDirectory = Self.root + "/stdlib"
        let state = try LuaState(options)
        defer { state.close() }
        let stack = state.stack
        ValueLibrary.register(in: stack)
        try state.load(Self.program(suite), named: "=run")
        let status = rh_protected_call(stack.thread, 0, 0)
        let problem = status == LUA_OK ? "" : (stack.errorValue(at: -1)?.message ?? stack.string(at: -1) ?? "unknown")

        #expect(problem == "")
    }

    private static func program(_ suite: String) -> String {
        """
        arg = { [0] = "\(root)/stdlib/test/run.lua", "\(suite)" }
        local lines = {}
        local shown = print
        print = function(line) lines[#lines + 1] = line end
        local ok, problem = pcall(dofile, arg[0])
        print = shown
        if not ok then error(table.concat(lines, "\\n") .. "\\n" .. tostring(problem), 0) end
        """
    }
}
