import LuaRuntime
import Testing

struct GlobalAccessTests {
    private func names(_ text: String) throws -> ChunkNames {
        let state = try LuaState(LuaOptions(directory: "/"))
        defer { state.close() }
        return try state.names(in: text)
    }

    private func globals(_ text: String) throws -> [String] {
        try names(text).globals.map { "\($0.isWrite ? "set" : "get") \($0.name) \($0.line)" }.sorted()
    }

    @Test func readsAndWritesAreFoundWithTheirLines() throws {
        let text = """
            local row = { email = 1 }

            total = row.email
            print(rwo.email)
            """

        #expect(try globals(text) == ["get print 4", "get rwo 4", "set total 3"])
    }

    @Test func functionsInsideOfFunctionsAreReadToo() throws {
        let text = """
            local function outer(a)
              return function(b)
                for i = 1, 3 do a = b + i end
                count = retrun_row(a)
              end
            end
            function helper() end
            return outer
            """

        #expect(try globals(text) == ["get retrun_row 4", "set count 4", "set helper 7"])
        #expect(try names(text).locals.isSuperset(of: ["outer", "a", "b", "i"]))
    }

    @Test func anEnvironmentOfItsOwnIsNoGlobal() throws {
        #expect(try globals("local _ENV = { x = 1 }\nlocal function f() return x end\ny = f()") == [])
    }

    @Test func linesThatAreFarApartAreRight() throws {
        let text = "a = 1" + String(repeating: "\n", count: 300) + "b = 2\n" + String(repeating: "c = 3; ", count: 400)

        #expect(Set(try globals(text)) == ["set a 1", "set b 301", "set c 302"])
    }

    @Test func aTextThatIsNoLuaIsAnError() {
        #expect(throws: ScriptError.self) { try names("local = 1") }
    }
}
