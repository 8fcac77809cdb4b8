import LuaRuntime
import Testing

@Suite struct WaitingTests {
    @Test(arguments: [
        "assert(slowly(7) == 7 and fetch(8) == 8)",
        "assert(coroutine.wrap(function() return slowly(7) end)() == 7)",
        """
        local co = coroutine.create(function(a) local b = coroutine.yield(slowly(a)); return slowly(b) end)
        local ok, v = coroutine.resume(co, 1) assert(ok and v == 1 and coroutine.status(co) == "suspended")
        ok, v = coroutine.resume(co, 2) assert(ok and v == 2 and coroutine.status(co) == "dead")
        ok, v = coroutine.resume(co) assert(not ok and v == "cannot resume dead coroutine")
        """,
        """
        local function nest(n) if n == 0 then return slowly(42) end return coroutine.wrap(nest)(n - 1) end
        assert(nest(100) == 42)
        """,
        "local ok, v, w = pcall(function() return slowly(1), slowly(2) end) assert(ok and v == 1 and w == 2)",
        "local ok, e = pcall(function() slowly(1) error('x', 0) end) assert(not ok and e == 'x')",
        "local ok, e = xpcall(function() slowly(1) error('x', 0) end, function(m) return m .. 'y' end) assert(e == 'xy')",
        "local ok, e = pcall(slowly) assert(ok and e == 0)",
        "local t = setmetatable({}, {__index = function(_, k) return slowly(k) end}) assert(t[3] == 3)",
        "local t = setmetatable({}, {__add = function(a, b) return slowly(b) end}) assert(t + 3 == 3)",
        "local t = setmetatable({}, {__call = function(_, b) return slowly(b) end}) assert(t(3) == 3)",
        "local t = setmetatable({}, {__lt = function() return slowly(1) == 1 end}) assert(t < t)",
        "local t = setmetatable({}, {__concat = function(_, b) slowly(1) return b end}) assert(t .. 'b' == 'b')",
        """
        local t = setmetatable({}, {__pairs = function() return function(_, k) k = slowly((k or 0) + 1)
          if k < 4 then return k end end end}) local n = 0 for k in pairs(t) do n = n + k end assert(n == 6)
        """,
        "local n = 0 for i in function(_, i) i = slowly((i or 0) + 1) if i < 4 then return i end end do n = n + i end assert(n == 6)",
        """
        local n = 0
        for v in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(slowly(i)) end end) do n = n + v end
        assert(n == 6)
        """,
        """
        local log = ""
        do
          local x <close> = setmetatable({}, {__close = function() log = log .. slowly(1) end})
          log = log .. "0"
        end
        assert(log == "01")
        """,
        """
        local log = ""
        local ok, e = pcall(function()
          local x <close> = setmetatable({}, {__close = function(_, e) log = e .. slowly(1) end})
          error("e", 0)
        end)
        assert(not ok and e == "e" and log == "e1")
        """,
        """
        package.preload.waits = function(name, extra) slowly(1) return {name = name, extra = extra} end
        local m, extra = require "waits"
        assert(m.name == "waits" and m.extra == ":preload:" and extra == ":preload:" and require "waits" == m)
        """,
        """
        package.searchers[5] = nil
        table.insert(package.searchers, 1, function(name) slowly(1) if name == "found" then
          return function(n, x) slowly(2) return x end, "data" end return "not by me" end)
        assert(require "found" == "data")
        local ok, e = pcall(require, "missing")
        assert(not ok and e:find("module 'missing' not found:\\n\\tnot by me", 1, true), e)
        """,
        "assert(coroutine.isyieldable() == false and select(2, coroutine.running()) == true)",
        "local ok, e = pcall(coroutine.yield) assert(not ok and e == 'attempt to yield from outside a coroutine', e)",
        "coroutine.wrap(function() assert(coroutine.isyieldable() and not select(2, coroutine.running())) end)()",
    ])
    func waitingPassesThrough(script: String) async throws {
        let outcome = try await ScriptRunner.run(script)

        #expect(outcome.failure == nil, "\(outcome.message ?? "")")
        #expect(outcome.livingProbes == 0)
    }

    @Test(arguments: [
        ("table.sort({3, 2, 1}, function(a, b) slowly(1) return a < b end)", "sort"),
        (
            "table.sort({3, 2, 1}, function(a, b) pcall(error) return pcall(slowly, 1) or error(select(2, pcall(slowly))) end)",
            "sort"
        ),
        (
            "table.sort({3, 2, 1}, function(a, b) return coroutine.wrap(function() return slowly(1) end)() == a end)",
            "sort"
        ),
        ("('x'):gsub('x', function() slowly(1) end)", "gsub"),
        ("error(select(2, load(function() slowly(1) end)))", "load"),
        ("tostring(setmetatable({}, {__tostring = function() slowly(1) end}))", "tostring"),
        ("string.format('%s', setmetatable({}, {__tostring = function() slowly(1) end}))", "format"),
        ("call(function() slowly(1) end)", "call"),
        (
            """
            local co = coroutine.create(function()
              local x <close> = setmetatable({}, {__close = function() slowly(1) end}) coroutine.yield() end)
            coroutine.resume(co) local ok, e = coroutine.close(co) error(e)
            """, "coroutine.close"
        ),
        (
            """
            local seen
            setmetatable({}, {__gc = function() local ok, e = pcall(slowly, 1) seen = e end})
            collectgarbage() error(seen)
            """, "__gc"
        ),
    ])
    func whereWaitingIsImpossibleTheErrorSaysWhy(script: String, name: String) async throws {
        let outcome = try await ScriptRunner.run(script)

        #expect(outcome.code == "RH1301" || outcome.code == "RH1000")
        #expect(outcome.message?.contains("cannot wait inside a function that \"\(name)\" calls") == true)
    }

    @Test func coroutinesThatWaitBelongToTheirTask() async throws {
        let outcome = try await ScriptRunner.run(
            """
            local co = coroutine.create(function() slowly(1) coroutine.yield("mid") return "end" end)
            local other
            local task = spawn(function()
              other = coroutine.running()
              assert(select(2, coroutine.resume(co)) == "mid")
              slowly(1)
              return function() error("never called") end
            end)
            sleep(0)
            assert(coroutine.status(co) == "normal")
            local ok, e = coroutine.resume(co) assert(not ok and e == "cannot resume non-suspended coroutine", e)
            ok, e = pcall(coroutine.close, co) assert(not ok and e == "cannot close a normal coroutine", e)
            ok, e = coroutine.resume(other) assert(not ok and e == "cannot resume non-suspended coroutine", e)
            assert(coroutine.status(other) == "normal" and not pcall(coroutine.close, other))
            task:wait()
            assert(coroutine.status(other) == "dead")
            ok, e = coroutine.resume(other) assert(not ok and e == "cannot resume dead coroutine", e)
            assert(coroutine.close(other) and type(task:wait()) == "function")
            assert(select(2, coroutine.resume(co)) == "end")
            """)

        #expect(outcome.failure == nil, "\(outcome.message ?? "")")
    }

    @Test func aModuleIsLoadedOnceByTasksThatNeedItAtTheSameTime() async throws {
        let outcome = try await ScriptRunner.run(
            """
            local loads, failures = 0, 0
            package.preload.slow = function() loads = loads + 1 sleep(0.01) return {} end
            package.preload.bad = function() failures = failures + 1 sleep(0.01) error("no", 0) end
            local tasks = {}
            for i = 1, 5 do tasks[i] = spawn(require, "slow") end
            for i = 1, 5 do assert(tasks[i]:wait() == package.loaded.slow) end
            for i = 1, 3 do tasks[i] = spawn(pcall, require, "bad") end
            for i = 1, 3 do assert(select(2, tasks[i]:wait()) == "no") end
            print(loads, failures)
            """)

        #expect(outcome.failure == nil, "\(outcome.message ?? "")")
        #expect(outcome.printed == ["1 3"])
    }
}
