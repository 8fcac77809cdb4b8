import LuaRuntime
import Testing

@Suite struct AllocationFailureTests {
    private static let scripts: [String] = [
        "local p = probe() assert(p.open) p:close() assert(not p.open)",
        "local p <close> = probe() local q <close> = probe()",
        "assert(slowly(1) == 1 and fetch(2) == 2) sleep(0)",
        "assert(coroutine.wrap(function() local p <close> = probe() return slowly(3) end)() == 3)",
        """
        local co = coroutine.create(function(...) local a = coroutine.yield(slowly(1)) return fetch(a) end)
        local ok, v = coroutine.resume(co) assert(ok, v) ok, v = coroutine.resume(co, 5) assert(ok, v) assert(v == 5)
        assert(coroutine.status(co) == "dead" and coroutine.close(co))
        """,
        """
        local co = coroutine.create(function() local p <close> = probe() coroutine.yield() end)
        assert(coroutine.resume(co)) local ok, e = coroutine.close(co) assert(ok, e)
        """,
        "local t = spawn(function(a) local p <close> = probe() sleep(0) return a, 'b' .. a end, 7) assert(t:wait() == 7)",
        "local t = spawn(function() sleep(100) end) sleep(0) t:cancel() local ok, e = pcall(t.wait, t) assert(not ok) assert(e.code == 'RH1203', e)",
        """
        local tasks = {}
        for i = 1, 5 do tasks[i] = spawn(function() return slowly(i) end) end
        for i, t in ipairs(tasks) do assert(t:wait() == i) end
        """,
        """
        local ok, e = pcall(fail, "x") assert(not ok)
        if e == "not enough memory" then error(e, 0) end
        assert(tostring(e):find("x") and e.code == "RH9999" and (e .. "!"):find("!") and e.hint)
        """,
        "local ok, e = xpcall(error, function(m) return m .. ('y'):rep(100) end, 'x') if e ~= 'x' .. ('y'):rep(100) then error('not enough memory', 0) end",
        "local f, e = load('local a = ... return {a, ' .. ('1, '):rep(50) .. '}') if not f then error(e, 0) end f()",
        """
        package.preload.m = function() sleep(0) return {probe()} end
        package.loaded.m = nil
        assert(require "m" == package.loaded.m)
        package.loaded.m, package.preload.m = nil, nil
        """,
        "local ok, e = pcall(require, 'missing') assert(not ok) if not e:find('not found') then error('not enough memory', 0) end",
        "local s = ('abc'):rep(100):gsub('b', '%0%0'):gsub('(a)', {a = 'z'}) assert(#s == 400) for w in s:gmatch('%a+') do end",
        "local t = {} for i = 1, 50 do table.insert(t, 1, 'x' .. i) end table.sort(t) assert(#table.concat(t, ',') > 0)",
        "assert(call(function(a) local p <close> = probe() return {a}, a .. 'x' end, 5))",
        "local t = setmetatable({}, {__gc = function(t) t.x = probe() end}) t = nil collectgarbage()",
        "local t = setmetatable({}, {__index = function(_, k) return slowly(k) end, __close = function() fetch(1) end}) local c <close> = t assert(t[3] == 3)",
    ]

    @Test(arguments: scripts)
    func everyAllocationMayFail(script: String) async throws {
        let runner = ScriptRunner()
        try await runner.open(LuaOptions(directory: "/nonexistent"))
        let ending = await AllocationFailure().drive(script, in: runner)
        let outcome = await runner.close()

        #expect(outcome.livingProbesAfterClose == 0)
        guard case .succeeded(let failures) = ending else {
            Issue.record("\(ending)")
            return
        }
        #expect(failures > 0)
    }
}
