import EventLoops
import Glibc
import LuaRuntime
import Testing

@Suite struct TasksTests {
    @Test func tasksReturnWhatTheyReturnAndRaiseWhatTheyRaise() async throws {
        let outcome = try await ScriptRunner.run(
            """
            local t = spawn(function(a, b) sleep(0) return a, nil, b end, 1, 2)
            assert(t.status == "ready")
            local a, n, b = t:wait() assert(a == 1 and n == nil and b == 2 and t.status == "finished")
            assert(select("#", t:wait()) == 3)
            local own = {}
            t = spawn(function() error(own) end)
            local ok, e = pcall(t.wait, t) assert(not ok and e == own and t.status == "failed")
            ok, e = pcall(t.wait, t) assert(not ok and e == own)
            ok, e = pcall(t.wait) assert(e.code == "RH1002")
            """)

        #expect(outcome.failure == nil, "\(outcome.message ?? "")")
        #expect(outcome.unobserved.isEmpty)
    }

    @Test func aFailureThatNobodyWaitsForIsReported() async throws {
        let outcome = try await ScriptRunner.run(
            """
            spawn(function() sleep(0) error("forgotten") end)
            kept = spawn(function() error("kept") end)
            seen = spawn(function() error("seen") end)
            pcall(seen.wait, seen)
            local go
            late = spawn(function() while not go do sleep(0.001) end error("late") end)
            assert(not pcall(late.wait, late, 0))
            go = true
            """)

        #expect(outcome.failure == nil)
        #expect(outcome.unobserved.map(\.error.message).sorted() == ["forgotten", "kept", "late"])
    }

    @Test func waitingCanBeGivenUp() async throws {
        let outcome = try await ScriptRunner.run(
            """
            local t = spawn(function() while not finish do sleep(0.01) end return "done" end)
            for i = 1, 3 do
              local ok, e = pcall(t.wait, t, 0.001) assert(not ok and e.code == "RH1305", tostring(e))
            end
            for _, bad in ipairs { -1, 0/0, math.huge, "x", {} } do
              local ok, e = pcall(t.wait, t, bad) assert(not ok and e.code == "RH1001", tostring(e))
            end
            finish = true assert(t:wait(60) == "done")
            """)

        #expect(outcome.failure == nil, "\(outcome.message ?? "")")
    }

    @Test func tasksThatWaitForEachOtherAreTold() async throws {
        let outcome = try await ScriptRunner.run(
            """
            local a, b
            a = spawn(function() sleep(0) return b:wait() end)
            b = spawn(function() sleep(0) return a:wait() end)
            local ok, e = pcall(a.wait, a)
            assert(not ok and e.code == "RH1304", tostring(e))
            local own
            own = spawn(function() return pcall(own.wait, own) end)
            ok, e = own:wait()
            assert(not ok and e.message == "task:wait: a task cannot wait for itself")
            assert(slowly(3) == 3)
            """)

        #expect(outcome.failure == nil, "\(outcome.message ?? "")")
    }

    @Test func cancellingClosesWhatATaskHolds() async throws {
        let outcome = try await ScriptRunner.run(
            """
            local log = {}
            local function holder(wait)
              return function()
                local p <close> = probe()
                local x <close> = setmetatable({}, {__close = function(_, e) log[#log + 1] = e ~= nil end})
                while true do pcall(wait) xpcall(wait, function() while true do end end) end
              end
            end
            local waits = {
              function() sleep(100) end, function() slowly(1) end,
              function() coroutine.wrap(function() local q <close> = probe() sleep(100) end)() end,
              function() coroutine.resume(coroutine.create(function() pcall(sleep, 100) end)) end,
              function() spawn(sleep, 0.5):wait() end,
              function() for _ in function() return slowly(1) end do end end,
            }
            for i, wait in ipairs(waits) do
              local t = spawn(holder(wait))
              sleep(0.002)
              t:cancel()
              t:cancel()
              local ok, e = pcall(t.wait, t)
              assert(not ok and e.code == "RH1203", tostring(e))
            end
            local early = spawn(error, "never runs")
            early:cancel()
            assert(select(2, pcall(early.wait, early)).code == "RH1203")
            local own
            own = spawn(function() local p <close> = probe() own:cancel() while true do end end)
            assert(select(2, pcall(own.wait, own)).code == "RH1203")
            assert(#log == #waits and closed() == #waits + 2, closed())
            """)

        #expect(outcome.failure == nil, "\(outcome.message ?? "")")
        #expect(outcome.livingProbes == 0)
    }

    @Test func closingTheStateClosesWhatSuspendedTasksHold() async throws {
        let runner = ScriptRunner()
        try await runner.open(LuaOptions(directory: "/nonexistent"))
        await runner.evaluate(
            """
            for _, wait in ipairs { function() sleep(100) end, function() while true do slowly(1) end end,
                                    coroutine.wrap(function() local q <close> = probe() sleep(100) end) } do
              kept = spawn(function() local p <close> = probe() wait() end)
            end
            sleep(100)
            """, untilIdle: false)
        let outcome = await runner.close()

        #expect(outcome.livingProbesAfterClose == 0)
        #expect(runner.probes.closed == 4)
    }

    @Test func everyTaskHasItsTurn() async throws {
        let outcome = try await ScriptRunner.run(
            """
            local done, turns = false, 0
            local busy = spawn(function() while not done do fetch(1) end end)
            for i = 1, 5 do slowly(1) turns = turns + 1 end
            done = true
            busy:wait()
            print(turns)
            """)

        #expect(outcome.printed == ["5"], "\(outcome.message ?? "")")
    }

    /// Sanitizers need memory of their own.
    @Test(.enabled(if: dlsym(nil, "__tsan_init") == nil && dlsym(nil, "__asan_init") == nil))
    func tenThousandSleepersAreCheap() async throws {
        await #expect(processExitsWith: .success) {
            let before = residentBytes()
            let runner = ScriptRunner()
            try await runner.open(LuaOptions(directory: "/nonexistent"))
            await runner.evaluate("for i = 1, 10000 do spawn(sleep, 1000) end", untilIdle: false)
            await runner.evaluate("sleep(0)", untilIdle: false)
            exit(residentBytes() - before < 100 << 20 ? 0 : 1)
        }
    }
}

private func residentBytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    guard fgets(&line, CInt(line.count), file) != nil else { return 0 }
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let words = text.split(separator: " ")
    return (words.count > 1 ? Int(words[1]) ?? 0 : 0) * 4096
}
