import ArgumentParser
import Scripting

/// What every command on the pipelines of a file takes.
struct PipelineArguments: ParsableArguments {
    @Argument(help: ArgumentHelp("The script that returns the pipelines.", valueName: "file"), completion: .file())
    var file: String

    @Flag(help: "Prints JSON.")
    var json = false

    @Flag(help: "Errors show what stands in rows; it is hidden otherwise.")
    var showValues = false

    @Flag(help: "Means the way back, from the target to the source, which \"cutover --way-back\" has prepared.")
    var back = false

    @OptionGroup(title: "What the script may do, and how much")
    var settings: ScriptSettings
}

/// A command that loads a file and works on the pipelines that it returns.
protocol PipelineCommand: ParsableCommand {
    var pipelines: PipelineArguments { get }

    /// Its exit code.
    func perform(on session: PipelineSession) async -> Int32
}
