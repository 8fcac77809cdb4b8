import ArgumentParser

/// `replhost completions`.
struct CompletionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completions",
        abstract: "Prints a script that completes replhost's commands and options in a shell.",
        discussion: """
            bash: replhost completions bash > ~/.local/share/bash-completion/completions/replhost

            zsh: replhost completions zsh > DIR/_replhost, with DIR in $fpath before compinit runs

            fish: replhost completions fish > ~/.config/fish/completions/replhost.fish
            """)

    enum Shell: String, CaseIterable, ExpressibleByArgument {
        case bash, zsh, fish

        var generator: CompletionShell {
            switch self {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        }
    }

    @Argument(help: ArgumentHelp("bash, zsh or fish.", valueName: "shell"))
    var shell: Shell

    func run() {
        // Where a command may be left out, a file may stand.
        let script = ReplhostCommand.completionScript(for: shell.generator)
            .replacing("complete -o filenames -F", with: "complete -o default -o filenames -F")
        Terminal.write(script + "\n")
    }
}
