import ArgumentParser
import Scripting
import Testing

@testable import Console

@Suite struct CommandParsingTests {
    private func parse(_ arguments: String...) throws -> any ParsableCommand {
        try ReplhostCommand.parseAsRoot(ArgumentLine.expanded(arguments, inputIsTerminal: true))
    }

    private func message(_ arguments: String...) -> String {
        do {
            let line = ArgumentLine.expanded(arguments, inputIsTerminal: true)
            try ArgumentLine.check(line)
            var command = try ReplhostCommand.parseAsRoot(line)
            try command.run()
            return ""
        } catch {
            return ReplhostCommand.fullMessage(for: error)
        }
    }

    @Test func runsAFileWithItsArguments() throws {
        let run = try #require(try parse("--limits", "time=1s", "a.lua", "--help", "x") as? RunCommand)

        #expect(run.script == ["a.lua", "--help", "x"])
        #expect(RunRequest(run).options.arguments == ["--help", "x"])
        #expect(run.settings.limits?.time == .seconds(1))
    }

    @Test func runsATextWithItsArguments() throws {
        let run = try #require(try parse("-e", "-- c", "x", "-y") as? RunCommand)

        #expect(run.text == "-- c")
        #expect(RunRequest(run).options.arguments == ["x", "-y"])
    }

    @Test(arguments: [
        ["a.lua"], ["a.lua", "-e", "x"], ["-e", "print(1)"], ["-e", "", "x", "--", "y"], ["-e", "--help"],
        ["run", "a.lua"],
        ["-"], [], ["--", "-x.lua"],
    ])
    func readsLinesWithoutOptionsAsTheParserDoes(line: [String]) throws {
        let expanded = ArgumentLine.expanded(line, inputIsTerminal: false)
        let request = try #require(RunRequest(plain: expanded))
        let command = try ReplhostCommand.parseAsRoot(expanded)
        let parsed = RunRequest(try #require(command as? RunCommand))

        #expect(request.text == parsed.text)
        #expect(request.script == parsed.script)
        #expect(request.options.arguments == parsed.options.arguments)
    }

    @Test(arguments: [["--limits", "time=1s", "a.lua"], ["-h"], ["repl"], ["-e"], ["--show-values", "-e", "x"]])
    func leavesOtherLinesToTheParser(line: [String]) {
        #expect(RunRequest(plain: ArgumentLine.expanded(line, inputIsTerminal: false)) == nil)
    }

    @Test func readsEveryCommand() throws {
        #expect(try parse() is ReplCommand)
        #expect(try (parse("repl", "sandbox:a") as? ReplCommand)?.target == "sandbox:a")
        #expect(try parse("sandbox") is SandboxCommand.List)
        #expect(try (parse("sandbox", "start") as? SandboxCommand.Start)?.name == "default")
        #expect(try (parse("sandbox", "stop", "a", "b") as? SandboxCommand.Stop)?.names == ["a", "b"])
        #expect(try (parse("sandbox", "remove", "a", "--json") as? SandboxCommand.Remove)?.json == true)
    }

    @Test func readsCommandsOnPipelines() throws {
        let preview = try #require(try parse("preview", "a.lua", "-n", "5", "--table", "public.a") as? PreviewCommand)
        let verify = try #require(try parse("verify", "--repair", "a.lua") as? VerifyCommand)
        let retry = try #require(try parse("dlq", "retry", "a.lua", "1", "2") as? DeadLetterCommand.Retry)
        let check = try #require(try parse("check", "--limits", "time=1s", "a.lua", "--json") as? CheckCommand)

        #expect(preview.rows == 5 && preview.table == "public.a" && preview.pipelines.file == "a.lua")
        #expect(verify.repair && verify.pipelines.file == "a.lua")
        #expect(retry.ids == [1, 2])
        #expect(check.pipelines.json && check.pipelines.settings.limits?.time == .seconds(1))
        #expect(try (parse("dlq", "show", "a.lua", "12") as? DeadLetterCommand.Show)?.id == 12)
        #expect(try (parse("dlq", "list", "a.lua", "--limit", "3") as? DeadLetterCommand.List)?.limit == 3)
        #expect(try (parse("dlq", "purge", "a.lua", "--yes") as? DeadLetterCommand.Purge)?.yes == true)
        #expect(try (parse("resnapshot", "a.lua", "public.a") as? ResnapshotCommand)?.table == "public.a")
        #expect(try (parse("drop", "a.lua", "--yes") as? DropCommand)?.yes == true)
        #expect(try (parse("test", "a", "b", "--filter", "x") as? TestCommand)?.paths == ["a", "b"])
        #expect(try parse("plan", "a.lua") is PlanCommand)
        #expect(try parse("status", "a.lua") is StatusCommand)
        #expect(try (parse("--once", "--quiet", "a.lua", "--json") as? RunCommand)?.script == ["a.lua", "--json"])
    }

    @Test func readsWhoseTypesAndWhereTheyGo() throws {
        let beside = try #require(try parse("types", "a/shop.lua", "--record") as? TypesCommand)
        let named = try #require(try parse("types", "sandbox:a", "--record", "b.lua") as? TypesCommand)
        let plain = try #require(try parse("types", "host=a dbname=b", "-o", "-") as? TypesCommand)

        #expect(beside.source == .file("a/shop.lua") && beside.path == "a/shop_schema.lua")
        #expect(named.source == .dsn("sandbox:a") && named.path == "b.lua")
        #expect(plain.source == .dsn("host=a dbname=b") && plain.path == nil)
        #expect(try (parse("types") as? TypesCommand)?.source == nil)
    }

    @Test func refusesTypesOfNothing() {
        #expect(message("types", "--record").contains("needs a file or a database before it"))
        #expect(message("types", "--record", "shop.lua").contains("--record shop.lua names the file to write"))
        #expect(message("types", "sandbox:a", "--record").contains("--record needs the name of the file to write"))
        #expect(message("types", "-", "--record").contains("--record needs the name of the file to write"))
        #expect(message("types", "--json").contains("--json is for tables"))
        #expect(message("types", "a.lua", "--json", "--record").contains("use one of them"))
        #expect(message("types", "a.lua", "-o", "b", "--record").contains("use one of them"))
    }

    @Test func suggestsWhatAMisspeltOptionWasMeantToBe() {
        #expect(message("--alow", "io", "a.lua").contains("Did you mean '--allow'?"))
        #expect(message("sandbox", "list", "--jsn").contains("Did you mean '--json'?"))
        #expect(message("sandbox", "lst").contains("Unknown command 'sandbox lst'. Did you mean 'list'?"))
        #expect(message("dlq", "purg", "a.lua").contains("Unknown command 'dlq purg'. Did you mean 'purge'?"))
        #expect(message("dlq", "all", "a.lua").contains("'dlq' has: list, show, retry, purge."))
    }

    @Test(arguments: [
        (["--limits", "tim=1s", "a.lua"], "There is no limit 'tim'. Did you mean 'time'?"),
        (["--limits", "time=abc", "a.lua"], "'abc' is no time such as 500ms"),
        (["--limits", "memory=1TB", "a.lua"], "'1TB' is no size such as 64MB"),
        (["--limits", "time=1,time=2", "a.lua"], "'time' is there twice"),
        (["--allow", "bytecod", "a.lua"], "There is no permission 'bytecod'. Did you mean 'bytecode'?"),
        (["--allow", "network", "a.lua"], "There are io, os, debug, bytecode."),
        (["help", "chekc"], "Unknown command 'chekc'. Did you mean 'check'?"),
        (["explain", "nonsense"], "'replhost explain --all' lists them"),
    ])
    func saysWhatIsWrongWithAValue(_ arguments: [String], _ expected: String) {
        let line = ArgumentLine.expanded(arguments, inputIsTerminal: true)
        let error = #expect(throws: (any Error).self) {
            try ArgumentLine.check(line)
            _ = try ReplhostCommand.parseAsRoot(line)
        }

        #expect(error.map { ReplhostCommand.fullMessage(for: $0).contains(expected) } == true)
    }

    @Test(arguments: [
        ["--allow", "everything", "a.lua"], ["--limits", "time", "a.lua"], ["--limits", "time=10x", "a.lua"],
        ["--limits", "time=1s,time=2s", "a.lua"], ["--sandbox", "loose", "a.lua"], ["--log-level", "loud", "a.lua"],
        ["--sandbox", "strict", "--allow", "io", "a.lua"], ["run"], ["sandbox", "remove"], ["repl", "a", "b"],
        ["check"], ["resnapshot", "a.lua"], ["dlq", "show", "a.lua"], ["dlq", "show", "a.lua", "x"],
        ["preview", "a.lua", "-n", "0"], ["dlq", "list", "a.lua", "--limit", "0"], ["drop"],
        ["plan", "a.lua", "b.lua"],
    ])
    func refusesWrongUsage(_ arguments: [String]) {
        #expect(throws: (any Error).self) {
            try ReplhostCommand.parseAsRoot(ArgumentLine.expanded(arguments, inputIsTerminal: true))
        }
    }

    @Test func helpsWithEveryCommand() {
        #expect(message("--help").contains("replhost [<options>] FILE"))
        #expect(message("run", "--help").contains("--limits <time=10s,memory=256MB>"))
        #expect(message("repl", "--help").contains("DSN"))
        #expect(message("sandbox", "--help").contains("remove"))
        #expect(message("--help").contains("3 check or verify found something"))
        #expect(message("verify", "--help").contains("replhost verify [<options>] FILE"))
        #expect(message("dlq", "retry", "--help").contains("replhost dlq retry [<options>] FILE [ID ...]"))
        #expect(message("sandbox", "stop", "--help").contains("their data stay"))
    }
}
