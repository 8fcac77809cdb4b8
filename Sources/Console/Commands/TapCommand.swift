import ArgumentParser
import Scripting

/// `replhost tap`.
struct TapCommand: PipelineCommand {
    static let configuration = CommandConfiguration(
        commandName: "tap",
        abstract: "Shows changes as they pass, before and after the pipelines' functions.",
        usage: "replhost tap [<options>] FILE",
        discussion: """
            Shows what is committed on the source from now on, and what the functions in FILE make of it, until Ctrl-C. \
            Nothing is written, and a run that is under way is left alone: the tap has a replication slot of its own, \
            which is gone with it. The pipeline must have been run once, as its publication says which tables are \
            followed. With --json each change is a line.
            """)

    @OptionGroup var pipelines: PipelineArguments

    @Option(help: ArgumentHelp("Only this table of the source.", valueName: "name"))
    var table: String?

    @Option(
        name: [.customShort("n"), .customLong("count")],
        help: ArgumentHelp("Ends after so many changes.", valueName: "count"))
    var count: Int?

    func validate() throws {
        if let count, count < 1 { throw ValidationError("-n takes a number of changes from 1 on.") }
    }

    func perform(on session: PipelineSession) async -> Int32 {
        let shown = TapCount()
        let view = TapView(width: Terminal.outputWidth, reporter: session.reporter)
        let outcome = await session.host.tap(table: table) { event in
            switch event {
            case .begun(let pipeline):
                Terminal.writeError("\(TerminalText.escaped(pipeline)): showing what is committed from now on\n")
            case .rest: Terminal.flush()
            case .change(let report):
                let text = session.isJSON ? view.json(report) + "\n" : view.text(report, Terminal.outputPalette)
                Terminal.write(text)
                return shown.next() < count ?? .max
            }
            return true
        }
        return session.show(outcome) { ExitCode.done }
    }
}
