import ArgumentParser

/// `replhost top`.
struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Shows how a run gets on, live.",
        discussion: """
            Shows a run of this user that is under way on this machine: rates, lag, log that is kept, pools, and how \
            much of the time the script's functions take. The run is asked over its Unix socket, and is not slowed down.

            Without a terminal, or with --once, it is shown once, after one interval. --json prints the document that \
            "run --listen" serves as /status.json.
            """)

    @Argument(
        help: ArgumentHelp(
            "The run's script, the name of a pipeline, or a process id; may be left out where there is only one run.",
            valueName: "FILE|NAME|PID"), completion: .file())
    var run: String?

    @Option(
        name: [.customShort("n"), .customLong("interval")],
        help: ArgumentHelp("Between two looks.", valueName: "seconds"))
    var interval = 1.0

    @Flag(help: "Shows it once.")
    var once = false

    @Flag(help: "Prints the run's figures as JSON, once.")
    var json = false

    func validate() throws {
        guard interval >= 0.1, interval <= 3600 else {
            throw ValidationError("--interval takes seconds from 0.1 to 3600.")
        }
    }
}
