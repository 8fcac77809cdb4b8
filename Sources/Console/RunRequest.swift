import Scripting

/// What to run, and how.
struct RunRequest {
    /// In the place of a file.
    var text: String?
    /// The file ("-" is standard input), unless there is a text, and the script's arguments.
    var script: [String]
    var options = ScriptOptions()
    var isJSON = false
    /// Pipelines end when they have caught up.
    var isOnce = false
    /// The file is loaded anew when it has changed.
    var isWatching = false
    /// Where the run is shown over HTTP, and the file with the token for that.
    var listen: ListenAddress?
    var tokenFile: String?
    /// No progress is shown.
    var isQuiet = false
    /// The text is none of the user's: where it fails says nothing.
    var isOurs = false
    /// The first word may have been meant as a command.
    var isBare = true

    init(text: String?, script: [String]) {
        self.text = text
        self.script = script
        options.arguments = text == nil ? Array(script.dropFirst()) : script
    }

    /// The settings of the log take effect at once.
    init(_ command: RunCommand) {
        self.init(text: command.text, script: command.script)
        options = command.settings.apply(arguments: options.arguments)
        options.showsValues = command.showValues
        options.isWayBack = command.back
        isJSON = command.json
        isQuiet = command.quiet
        isOnce = command.once
        isWatching = command.watch
        listen = command.listen
        tokenFile = command.tokenFile
    }

    /// The settings of the log take effect at once.
    init(_ arguments: PipelineArguments) {
        self.init(text: nil, script: [arguments.file])
        options = arguments.settings.apply(arguments: [])
        options.showsValues = arguments.showValues
        options.isWayBack = arguments.back
        isJSON = arguments.json
        isBare = false
    }

    /// Reads an expanded line (`ArgumentLine`) that has no options but `-e`: most of them, and the parser needs longer to
    /// look at its own definitions than replhost to start.
    init?(plain line: [String]) {
        guard line.count >= 3, line[0] == "run" else { return nil }
        if line[1] == "--" {
            self.init(text: nil, script: Array(line[2...]))
        } else if line[1] == "-e", line.count == 3 || line[3] == "--" {
            self.init(text: line[2], script: Array(line.dropFirst(4)))
        } else {
            return nil
        }
    }
}
