import ArgumentParser
import Scripting

/// `replhost preview`.
struct PreviewCommand: PipelineCommand {
    static let configuration = CommandConfiguration(
        commandName: "preview",
        abstract: "Shows rows of the source before and after the pipelines' functions.",
        usage: "replhost preview [<options>] FILE",
        discussion: """
            Nothing is written. "~" marks a column that was changed, "+" one that was added, "-" one that is gone. The \
            exit code is 1 if a function failed.
            """)

    @OptionGroup var pipelines: PipelineArguments

    @Option(
        name: [.customShort("n"), .customLong("rows")],
        help: ArgumentHelp("How many rows of each table.", valueName: "count"))
    var rows = 20

    @Option(help: ArgumentHelp("Only this table of the source.", valueName: "name"))
    var table: String?

    func validate() throws {
        if rows < 1 { throw ValidationError("-n takes a number of rows from 1 on.") }
    }

    func perform(on session: PipelineSession) async -> Int32 {
        session.show(await session.host.preview(rows: rows, table: table)) { previews in
            let view = PreviewView(previews: previews, width: Terminal.outputWidth, reporter: session.reporter)
            session.write(view)
            return view.hasFailures ? ExitCode.failed : ExitCode.done
        }
    }
}
