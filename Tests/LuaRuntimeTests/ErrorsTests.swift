import LuaRuntime
import Testing

@Suite struct ErrorsTests {
    @Test func hostErrorsAreObjectsWithTheirPlace() async throws {
        let outcome = try await ScriptRunner.run(
            """
            local ok, e = pcall(fail, "first")
            assert(not ok and e.code == "RH9999" and e.message == "first" and e.hint == "A hint.")
            assert(tostring(e) == "test:1: first", tostring(e))
            assert(e .. "!" == "test:1: first!" and e.nothing == nil)
            assert(getmetatable(e) == false)
            fail("second")
            """)

        #expect(outcome.message == "second")
        #expect(outcome.failure?.position == "test:6")
        #expect(outcome.failure?.traceback.contains("test:6: in") == true)
    }

    @Test(arguments: [
        ("error({})", "(error object is a table value)"), ("error(nil)", "nil"), ("error()", "nil"),
        ("error(true)", "(error object is a boolean value)"), ("error(print)", "(error object is a function value)"),
        ("error(setmetatable({}, {__tostring = function() return 'mine' end}))", "mine"),
        ("error(setmetatable({}, {__tostring = function() error('x') end}))", "(error object is a table value)"),
        ("error('plain', 0)", "plain"), ("error(42, 0)", "42"),
    ])
    func anyValueCanBeRaised(script: String, message: String) async throws {
        let outcome = try await ScriptRunner.run(script)

        #expect(outcome.message == message)
    }

    @Test func theTextOfAnErrorMayNotRunForEver() async throws {
        let outcome = try await ScriptRunner.run(
            "error(setmetatable({}, {__tostring = function() while true do end end}))"
        ) { $0.timeLimit = .milliseconds(300) }

        #expect(outcome.message == "(error object is a table value)")
    }

    @Test func raisingLeaksNothing() async throws {
        let outcome = try await ScriptRunner.run(
            """
            for i = 1, 1000 do
              local p <const> = probe()
              assert(not pcall(fail, "x"))
              assert(not pcall(p.close, 1))
              pcall(function() local q <close> = probe(); fail("y") end)
            end
            assert(closed() == 1000)
            """)

        #expect(outcome.failure == nil)
        #expect(outcome.livingProbes == 0)
    }

    @Test func errorsInFinalizersAndClosingVariablesDoNotEndTheProcess() async throws {
        let outcome = try await ScriptRunner.run(
            """
            warn("@off")
            setmetatable({}, {__gc = function() error("in gc") end})
            setmetatable({}, {__gc = function() error({}) end})
            setmetatable({}, {__gc = function() fail("host") end})
            collect() collectgarbage()
            local ok, e = pcall(function()
              local a <close> = setmetatable({}, {__close = function(_, e) error("a after " .. tostring(e), 0) end})
              local b <close> = setmetatable({}, {__close = function() error("b", 0) end})
              error("body")
            end)
            assert(not ok and e == "a after b", e)
            local c <close> = setmetatable({}, {__close = function() error("c", 0) end})
            """)

        #expect(outcome.message == "c")
    }

    @Test(arguments: [
        ("local function f() return 1 + f() end f()", "RH1206"),
        (
            "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k .. 'x'] end local x = t.a",
            "RH1206"
        ),
        ("local function f() return pcall(f) end assert(f()) error('done')", "RH1000"),
        ("local f = function(g) return coroutine.wrap(g)(g) end f(f)", "RH1206"),
        ("string.rep('x', 10 << 30)", "RH1000"),
        ("string.rep('x', 1 << 30)", "RH1205"),
        ("local t = {} while true do t[#t + 1] = #t end", "RH1205"),
        ("local t = {} for i = 1, 1e9 do t[i] = 'string ' .. i end", "RH1205"),
        ("local s = 'x' while true do s = s .. s end", "RH1205"),
    ])
    func limitsAreErrors(script: String, code: String) async throws {
        let outcome = try await ScriptRunner.run(script) { $0.memoryLimit = code == "RH1205" ? 16 << 20 : 128 << 20 }

        #expect(outcome.code == code, "\(outcome.message ?? "none")")
    }

    @Test func aScriptGoesOnAfterTheMemoryLimit() async throws {
        let outcome = try await ScriptRunner.run(
            """
            for i = 1, 5 do
              local ok, e = pcall(function() local t = {} while true do t[#t + 1] = ("x"):rep(1000) .. #t end end)
              assert(not ok and e == "not enough memory", e)
              ok, e = pcall(string.rep, "x", 1 << 30)
              assert(not ok and e == "not enough memory", e)
              assert(not pcall(fail, "after"))
              assert(coroutine.wrap(function() return slowly(7) end)() == 7)
            end
            print("alive")
            """
        ) { $0.memoryLimit = 32 << 20 }

        #expect(outcome.failure == nil)
        #expect(outcome.printed == ["alive"])
    }

    @Test func memoryOfTheHostCounts() async throws {
        let runner = ScriptRunner()
        var options = LuaOptions(directory: "/nonexistent")
        options.memoryLimit = 16 << 20
        try await runner.open(options)
        _ = await runner.withState { state, _ in state.charge(100 << 20) }
        await runner.evaluate("fetch(1)")
        let failed = await runner.takeOutcome()
        let room = await runner.withState { state, _ in
            let before = (state.hasRoom(for: 1), state.hasRoom(for: .max))
            state.charge(-200 << 20)
            return [before.0, before.1, state.hasRoom(for: 1), state.hasRoom(for: .max)]
        }
        await runner.evaluate("assert(fetch(1) == 1)")
        let outcome = await runner.close()

        #expect(failed.code == "RH1205")
        #expect(room == [false, false, true, false])
        #expect(outcome.failure == nil)
    }
}
