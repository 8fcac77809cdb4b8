import TestSupport
import Testing

/// `replhost sandbox`: a server from its first start to its end.
@Suite struct ConsoleSandboxTests {
    @Test func startsListsStopsAndRemoves() async throws {
        let state = ["XDG_STATE_HOME": try TestWorkspace.shared().makeDirectory("state")]
        let none = try await ConsoleProcess.run("sandbox", "list", "--json", environment: state)
        let started = try await ConsoleProcess.run("sandbox", "start", "shop", environment: state)
        let listed = try await ConsoleProcess.run("sandbox", "list", environment: state)
        let used = try await ConsoleProcess.run(
            "-e", "print(require('replhost').pool{dsn='sandbox:shop'}:query('select 6 * 7'):scalar())",
            environment: state)
        let stopped = try await ConsoleProcess.run("sandbox", "stop", environment: state)
        let removed = try await ConsoleProcess.run("sandbox", "remove", "shop", "--json", environment: state)

        #expect(none.output == "[]\n")
        #expect(started.output.hasPrefix("host='"))
        #expect(listed.output.contains("shop | running |"))
        #expect(used.output == "42\n")
        #expect(stopped.output == "stopped shop\n")
        #expect(removed.output == "{\"removed\": [\"shop\"]}\n")
    }

    @Test func saysWhatIsWrong() async throws {
        let state = ["XDG_STATE_HOME": try TestWorkspace.shared().makeDirectory("state")]
        let missing = try await ConsoleProcess.run("sandbox", "stop", "nope", environment: state)
        let misspelt = try await ConsoleProcess.run("sandbox", "lst", environment: state)

        #expect(missing.status == 1)
        #expect(missing.errors.hasPrefix("error[RH0201]: there is no sandbox \"nope\"\n"))
        #expect(misspelt.status == 2)
        #expect(misspelt.errors.contains("Did you mean 'list'?"))
    }
}
