import ArgumentParser
import Scripting

/// `replhost FILE`, `replhost -e 'lua'`, and a script on standard input.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs a script, and the pipelines that it returns; the command may be left out.",
        usage: """
            replhost run [<options>] FILE [<arguments> ...]
            replhost run [<options>] -e 'lua' [<arguments> ...]
            """,
        discussion: """
            The script finds its arguments in "arg", as Lua's own interpreter has it. A script that returns pipelines \
            has them copied, and their changes followed until it is stopped; what an earlier run has done stays as it is.

            SIGINT (Ctrl-C) and SIGTERM cancel what runs on servers, give connections back, and end with exit code 130; \
            a second one ends at once. A stream ends after the changes that are under way. The same command goes on from \
            there. While changes are followed SIGHUP loads the file anew, which takes effect between two groups of \
            changes; otherwise it ends the run. With --watch that is done whenever the file has changed. A file that \
            cannot be loaded changes nothing.
            """)

    @Option(
        name: [.customShort("e"), .customLong("execute")], parsing: .unconditional,
        help: ArgumentHelp("Runs this text instead of a file.", valueName: "lua"))
    var text: String?

    @Flag(help: "Errors show what PostgreSQL says of the values in rows; they are hidden otherwise.")
    var showValues = false

    @Flag(help: "Copy what is left, follow the changes up to now, then end.")
    var once = false

    @Flag(help: "Follows the way back, from the target to the source, which \"cutover --way-back\" has prepared.")
    var back = false

    @Flag(help: "Takes a change of the file, or of a module beside it, up while changes are followed, as SIGHUP does.")
    var watch = false

    @Flag(help: "Shows no progress.")
    var quiet = false

    @Flag(help: "Prints what the pipelines have done as JSON.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Shows how the pipelines are over HTTP: a page at /, /metrics for Prometheus, /status.json, /healthz, "
                + "/readyz. Without a host it is the loopback; port 0 is any that is free.",
            valueName: "host:port"))
    var listen: ListenAddress?

    @Option(
        help: ArgumentHelp(
            "A file, which only its owner may read, with the token that --listen then asks for.", valueName: "file"),
        completion: .file())
    var tokenFile: String?

    @OptionGroup(title: "What the script may do, and how much")
    var settings: ScriptSettings

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("The file (\"-\" is standard input) and the script's arguments.", valueName: "file"),
        completion: .file())
    var script: [String] = []

    func validate() throws {
        if watch, back { throw ValidationError("--watch is for functions, of which --back has none: use one of them.") }
        if text == nil, script.isEmpty {
            throw ValidationError("There is nothing to run: name a FILE, \"-\" for standard input, or use -e 'lua'.")
        }
        if let listen, !listen.isLoopback, tokenFile == nil {
            throw ValidationError(
                "--listen \(listen.host):\(listen.port) can be reached from elsewhere: it needs --token-file FILE.")
        }
        if listen == nil, tokenFile != nil {
            throw ValidationError("--token-file is for --listen, which is not there.")
        }
        if watch, text != nil || script.first == "-" { throw ValidationError("--watch needs a FILE.") }
    }
}
