import ArgumentParser
import Logging
import Scripting

/// The options that every command with Lua code shares.
struct ScriptSettings: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What a script may do beyond the default: io (files anywhere), os (other programs, C modules, os.exit), "
                + "debug (the debug library), bytecode (compiled chunks for load).", valueName: "io,os,debug,bytecode"),
        transform: AllowedNames.init)
    var allow: AllowedNames?

    @Option(help: ArgumentHelp("\"strict\" takes all of io and os away.", valueName: "strict"))
    var sandbox: SandboxLevel?

    @Option(
        help: ArgumentHelp(
            "How long Lua code may run without waiting, and how much memory it may use; 0 is no limit.",
            valueName: "time=10s,memory=256MB"),
        transform: LimitList.init)
    var limits: LimitList?

    @Option(help: ArgumentHelp("The form of log records on standard error.", valueName: "text|json"))
    var logFormat: LogForm?

    @Option(help: ArgumentHelp("The least level that is logged.", valueName: "debug|info|warning|error"))
    var logLevel: LogLevel?

    func validate() throws {
        guard sandbox == .strict, let allow, allow.names.contains("io") || allow.names.contains("os") else { return }
        throw ValidationError("--sandbox strict takes away what --allow io,os gives: use one of them.")
    }

    /// Options for a host; the log's settings take effect at once.
    func apply(arguments: [String]) -> ScriptOptions {
        var options = ScriptOptions()
        for name in allow?.names ?? [] { options.allow(name) }
        options.isStrict = sandbox == .strict
        if let memory = limits?.memory { options.memoryLimit = memory }
        if let time = limits?.time { options.timeLimit = time == .zero ? nil : time }
        options.arguments = arguments
        if let logFormat { ScriptLog.output.form = logFormat == .json ? .json : .text }
        if let logLevel { ScriptLog.output.level = logLevel.level }
        return options
    }
}

enum SandboxLevel: String, ExpressibleByArgument, CaseIterable {
    case strict
}

enum LogForm: String, ExpressibleByArgument, CaseIterable {
    case text, json
}

enum LogLevel: String, ExpressibleByArgument, CaseIterable {
    case debug, info, warning, error

    var level: Logger.Level {
        switch self {
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
    }
}
