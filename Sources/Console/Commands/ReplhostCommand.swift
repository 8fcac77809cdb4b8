import ArgumentParser
import Scripting

/// `replhost`, of which all else is a subcommand.
struct ReplhostCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replhost",
        abstract: "Runs Lua scripts and pipelines between PostgreSQL databases.",
        usage: """
            replhost [<options>] FILE [<arguments> ...]
            replhost [<options>] -e 'lua' [<arguments> ...]
            replhost <command> ...
            """,
        discussion: """
            FILE is a Lua script; "-" reads it from standard input. What follows FILE belongs to the script, which \
            finds it in "arg". Without arguments, and on a terminal, replhost is a prompt for Lua and SQL. \
            The options are those of "run".

            Exit codes: 0 done, 1 failed, 2 wrong usage, 3 check or verify found something, 130 interrupted.
            """,
        version: HostVersions.text,
        subcommands: [
            RunCommand.self, InitCommand.self, CheckCommand.self, PlanCommand.self, PreviewCommand.self,
            TestCommand.self,
            StatusCommand.self, TopCommand.self, TapCommand.self, VerifyCommand.self, ResnapshotCommand.self,
            CutOverCommand.self, DeadLetterCommand.self, DropCommand.self, ReplCommand.self, AttachCommand.self,
            TypesCommand.self, SandboxCommand.self, ExplainCommand.self, CompletionsCommand.self,
        ])
}
