import ArgumentParser
import Scripting

/// The value of `--allow`: names with commas between.
struct AllowedNames: ExpressibleByArgument, Equatable {
    let names: [String]

    init?(argument: String) {
        names = argument.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard names.allSatisfy(ScriptOptions.permissionNames.contains) else { return nil }
    }
}
