import ArgumentParser
import Scripting

/// `replhost explain`.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Tells what an error's code means, and what to do about it.",
        usage: """
            replhost explain [--json|--markdown] CODE ...
            replhost explain [--json|--markdown] --all
            """,
        discussion: "CODE stands in brackets at the beginning of each error: error[RH2104] is explained by RH2104.")

    @Argument(help: ArgumentHelp("Codes, as RH2104.", valueName: "code"))
    var codes: [String] = []

    @Flag(help: "Explains all codes that there are.")
    var all = false

    @Flag(help: "Prints JSON.")
    var json = false

    @Flag(help: "Prints a Markdown table.")
    var markdown = false

    func validate() throws {
        if json, markdown { throw ValidationError("--json and --markdown are two forms: use one of them.") }
        if codes.isEmpty != all { throw ValidationError("Give error codes, or --all.") }
        for code in codes where ErrorGuide.find(code) == nil {
            let suggestion =
                ErrorGuide.suggestion(for: code).map { " Did you mean '\($0)'?" }
                ?? " 'replhost explain --all' lists them."
            throw ValidationError("There is no error '\(TerminalText.escaped(code))'.\(suggestion)")
        }
    }

    func run() {
        let guides = all ? ErrorGuide.all : codes.compactMap(ErrorGuide.find)
        if json { return Terminal.write(ErrorGuideView.json(guides)) }
        if markdown { return Terminal.write(ErrorGuideView.markdown(guides)) }
        Terminal.write(ErrorGuideView.text(guides, width: Terminal.outputWidth))
    }
}
