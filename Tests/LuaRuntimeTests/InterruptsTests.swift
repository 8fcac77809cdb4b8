import Glibc
import LuaRuntime
import Testing

@Suite(.serialized) struct InterruptsTests {
    private static let endless: [String] = [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do pcall(pcall, error) end",
        "while true do xpcall(function() while true do end end, function() while true do end end) end",
        "xpcall(error, function() while true do end end)",
        "local function f() return pcall(f) end while true do f() end",
        "coroutine.wrap(function() while true do pcall(function() while true do end end) end end)()",
        "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
        "while true do coroutine.wrap(function() coroutine.yield() end)() end",
        """
        local function nest(n) if n == 0 then while true do end end pcall(coroutine.wrap(nest), n - 1) nest(0) end
        nest(20)
        """,
        """
        while true do
          local co = coroutine.create(function()
            local x <close> = setmetatable({}, {__close = function() while true do end end}) coroutine.yield() end)
          coroutine.resume(co) coroutine.close(co)
        end
        """,
        "pcall(function() local x <close> = setmetatable({}, {__close = function() while true do end end}) end)",
        """
        pcall(function() local x <close> = setmetatable({}, {__close = function() while true do end end})
          while true do end end)
        """,
        """
        local function closer() return setmetatable({}, {__close = function() while true do
          coroutine.wrap(function() end)() end end}) end
        pcall(function() local x <close> = closer() local y <close> = closer() while true do end end)
        """,
        "local t = setmetatable({}, {__index = function() while true do end end}) local x = t.x",
        "table.sort({1, 2, 3}, function() while true do end end)",
        "('x'):gsub('x', function() while true do end end)",
        "while true do pcall(fail, 'x') end",
        "while true do pcall(call, function() while true do end end) end",
        "package.preload.loop = function() while true do end end while true do pcall(require, 'loop') end",
        "('a'):rep(40):find(('a*'):rep(30) .. 'b')",
        "('a'):rep(100000000):gsub('', '')",
        "for w in ('a'):rep(100000000):gmatch('a-b') do end",
        "while true do ('a'):rep(100000):find('(a*)*b') end",
        "table.move({}, 1, 1 << 60, 2)",
        "table.concat(setmetatable({}, {__index = table.concat}), '', 1, 1 << 60)",
        "table.concat(setmetatable({}, {__index = function() return '' end}), '', 1, 1 << 60)",
        "load(function() return ' ' end)",
        "while true do load(('x = 1 '):rep(100000)) end",
        "while true do local t <close> = probe() end",
        """
        while true do
          pcall(function()
            local x <close> = setmetatable({}, {__close = function() error("swallowed") end}) while true do end
          end)
        end
        """,
        """
        local function swallow() local x <close> = setmetatable({}, {__close = error}) while true do end end
        pcall(function()
          local x <close> = setmetatable({}, {__close = function() while true do pcall(swallow) end end})
          swallow()
        end)
        """,
    ]

    @Test(arguments: endless)
    func nothingRunsPastItsTimeLimit(script: String) async throws {
        let outcome = try await ScriptRunner.run(script) { $0.timeLimit = .milliseconds(200) }

        #expect(outcome.code == "RH1201" || outcome.code == "RH1000", "\(outcome.message ?? "")")
        #expect(outcome.failure?.interrupt == .timeLimit || script.contains("__index = table.concat"))
        #expect(outcome.livingProbes == 0)
    }

    @Test func theErrorSaysWhere() async throws {
        let outcome = try await ScriptRunner.run("\n\nlocal i = 0\nwhile true do i = i + 1 end") {
            $0.timeLimit = .milliseconds(100)
        }

        #expect(outcome.failure?.position == "test:4")
        #expect(outcome.failure?.error.hint != nil)
        #expect(outcome.failure?.traceback.contains("test:4: in main chunk") == true)
    }

    @Test func otherTasksGoOnAfterOneWasStopped() async throws {
        let outcome = try await ScriptRunner.run(
            """
            local bad = spawn(function() while true do pcall(function() while true do end end) end end)
            local good = spawn(function() for i = 1, 10 do slowly(i) end return "fine" end)
            local ok, e = pcall(bad.wait, bad)
            assert(not ok and e.code == "RH1201", tostring(e))
            assert(good:wait() == "fine")
            for i = 1, 100000 do end
            """
        ) { $0.timeLimit = .milliseconds(200) }

        #expect(outcome.failure == nil, "\(outcome.message ?? "")")
    }

    @Test func waitingDoesNotCountAsRunning() async throws {
        let outcome = try await ScriptRunner.run("sleep(0.6) slowly(1) print('done')") {
            $0.timeLimit = .milliseconds(200)
        }

        #expect(outcome.printed == ["done"], "\(outcome.message ?? "")")
    }

    @Test(arguments: [
        "interrupt() while true do end", "while true do pcall(interrupt) end",
        "coroutine.wrap(function() interrupt() while true do end end)()",
    ])
    func controlCStopsWhatRuns(script: String) async throws {
        let outcome = try await ScriptRunner.run(script)

        #expect(outcome.failure?.interrupt == .user)
        #expect(outcome.code == "RH1202")
    }

    @Test func handlersOfClosingVariablesHaveTimeToCleanUp() async throws {
        let outcome = try await ScriptRunner.run(
            """
            local function closer(n) return setmetatable({}, {__close = function(_, e)
              for i = 1, 1000 do end
              print(n, e ~= nil, (select(2, pcall(sleep, 0)).code))
            end}) end
            coroutine.wrap(function()
              local a <close> = closer(1)
              local p <close> = probe()
              pcall(function() local b <close> = closer(2) while true do end end)
            end)()
            """
        ) { $0.timeLimit = .milliseconds(200) }

        #expect(outcome.failure?.interrupt == .timeLimit)
        #expect(outcome.printed == ["2 true RH1303", "1 true RH1303"])
        #expect(outcome.livingProbes == 0)
    }

    @Test func coroutinesThatSurvivedAnInterruptRunOn() async throws {
        let outcome = try await ScriptRunner.run(
            """
            shared = coroutine.wrap(function() while true do coroutine.yield(1) end end)
            local bad = spawn(function() while true do shared() end end)
            pcall(bad.wait, bad)
            n = 0
            """,
            afterwards: """
                for i = 1, 100000 do
                  local ok, v = pcall(shared)
                  if not ok then assert(v:find("dead coroutine"), tostring(v)) break end
                end
                local co = coroutine.wrap(function() for i = 1, 100000 do n = n + 1 end return n end)
                assert(co() == 100000)
                """
        ) { $0.timeLimit = .milliseconds(200) }

        #expect(outcome.failure == nil, "\(outcome.message ?? "")")
    }

    @Test func exitEndsTheScriptWithItsCode() async throws {
        let outcome = try await ScriptRunner.run(
            """
            local x <close> = setmetatable({}, {__close = function() print("closed") end})
            pcall(coroutine.wrap(function() pcall(os.exit, 7) print("not here") end))
            print("nor here")
            """
        ) { $0.permissions = [.os] }

        #expect(outcome.failure?.interrupt == .exit(code: 7))
        #expect(outcome.printed == ["closed"])
    }

    @Test func chainsOfCoroutinesThatCloseEachOtherAreBounded() async throws {
        let outcome = try await ScriptRunner.run(
            """
            local function chain(n, finish)
              local previous
              for i = 1, n do
                local before = previous
                previous = coroutine.create(function()
                  local x <close> = setmetatable({}, {__close = function() if before then finish(before) end end})
                  coroutine.yield()
                end)
                coroutine.resume(previous)
              end
              return previous
            end
            local ok, e = coroutine.close(chain(100000, function(co) assert(coroutine.close(co)) end))
            assert(not ok and tostring(e):find("C stack overflow"), tostring(e))
            assert(coroutine.close(chain(100, function(co) assert(coroutine.close(co)) end)))
            """
        ) { $0.memoryLimit = 1 << 30 }

        #expect(outcome.failure == nil, "\(outcome.message ?? "")")
    }

    @Test func whatCannotBeInterruptedEndsTheProcess() async throws {
        await #expect(processExitsWith: .exitCode(1)) {
            _ = try await ScriptRunner.run(
                "setmetatable({}, {__gc = function() while true do end end}) collectgarbage()"
            ) { $0.timeLimit = .milliseconds(100) }
        }
    }

    @Test func finalizersThatNeverEndDoNotKeepAStateFromClosing() async throws {
        await #expect(processExitsWith: .exitCode(1)) {
            _ = try await ScriptRunner.run(
                "kept = setmetatable({}, {__gc = function() while true do end end})"
            ) { $0.timeLimit = .milliseconds(100) }
        }
    }
}
