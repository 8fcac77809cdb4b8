import LuaRuntime
import Scripting
import Testing

@Suite struct ReplFailureReportTests {
    @Test func keepsTheScriptsOwnCalls() {
        let traceback = """
            stack traceback:
            \t[C]: in function 'error'
            \t/opt/replhost/stdlib/replhost/csv.lua:3: in function 'parse'
            \tshop.lua:18: in upvalue 'check'
            \t(...tail calls...)
            \tshop.lua:25: in main chunk
            \t[C]: in ?
            """
        let report = FailureReport(
            LuaFailure(error: ScriptError(code: "RH1000", "no"), position: "shop.lua:18", traceback: traceback))

        #expect(report.calls == ["shop.lua:18: in upvalue 'check'", "shop.lua:25: in main chunk"])
        #expect(report.place == SourcePlace(file: "shop.lua", line: 18))
        #expect(report.code == nil)
    }

    @Test func takesThePlaceOffTheCompilersMessage() {
        let report = FailureReport(ScriptError(code: "RH1100", "a:b.lua:7: unexpected symbol near '='"))

        #expect(report.place == SourcePlace(file: "a:b.lua", line: 7))
        #expect(report.message == "unexpected symbol near '='")
        #expect(report.code == "RH1100")
    }

    @Test func saysThePlaceOnce() {
        let error = ScriptError(code: "RH1000", "a.lua:1: no")

        #expect(FailureReport(LuaFailure(error: error, position: "a.lua:1")).message == "no")
    }

    @Test(arguments: [("execute", "--allow os"), ("sethook", "--allow debug"), ("exec", nil)])
    func saysWhatPermissionIsMissing(function: String, option: String?) {
        let error = ScriptError(code: "RH1000", "attempt to call a nil value (field '\(function)')")
        let hint = FailureReport(LuaFailure(error: error, position: "a.lua:1")).hint

        #expect(option.map { hint?.contains($0) == true } ?? (hint == nil))
    }

    @Test func leavesAMessageWithoutAPlaceAlone() {
        let report = FailureReport(ScriptError(code: "RH1006", "cannot find: it", hint: "Look."))

        #expect(report == FailureReport(code: "RH1006", "cannot find: it", hint: "Look."))
    }
}
