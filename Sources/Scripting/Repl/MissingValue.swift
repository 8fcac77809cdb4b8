/// What a script uses and does not have, where Lua itself only knows that it is nil.
enum MissingValue {
    /// Functions of Lua's library that a script has only by permission.
    private static let functionsByPermission = [
        "os": ["os.execute", "os.exit", "os.setlocale", "io.popen", "package.loadlib"],
        "io": ["os.tmpname"],
        "debug": ["getlocal", "setlocal", "getupvalue", "setupvalue", "sethook", "getregistry"].map { "debug.\($0)" },
    ]

    /// What helps if an error's message is about the call of one.
    static func hint(for message: String) -> String? {
        if message == "attempt to index a nil value (global 'rh')" {
            return "Begin the file with: local rh = require \"replhost\""
        }
        guard let match = message.wholeMatch(of: #/attempt to call a nil value \(field '(\w+)'\)/#) else { return nil }
        for (permission, functions) in functionsByPermission {
            guard let function = functions.first(where: { $0.hasSuffix(".\(match.1)") }) else { continue }
            return "If \(function) is meant: --allow \(permission) opens it."
        }
        return nil
    }
}
