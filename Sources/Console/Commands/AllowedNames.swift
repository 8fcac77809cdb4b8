import ArgumentParser
import Scripting

/// The value of `--allow`: names with commas between.
struct AllowedNames: Equatable {
    let names: [String]

    init(_ text: String) throws(ValidationError) {
        names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        for name in names where !ScriptOptions.permissionNames.contains(name) {
            throw Spelling.unknown("permission", name, of: ScriptOptions.permissionNames)
        }
    }
}
