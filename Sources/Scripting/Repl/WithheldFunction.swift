/// Functions of Lua's library that a script has only by permission, which Lua itself knows nothing of.
enum WithheldFunction {
    private static let functionsByPermission = [
        "os": ["os.execute", "os.exit", "os.setlocale", "io.popen", "package.loadlib"],
        "io": ["os.tmpname"],
        "debug": ["getlocal", "setlocal", "getupvalue", "setupvalue", "sethook", "getregistry"].map { "debug.\($0)" },
    ]

    /// What helps if an error's message is about the call of one.
    static func hint(for message: String) -> String? {
        guard let match = message.wholeMatch(of: #/attempt to call a nil value \(field '(\w+)'\)/#) else { return nil }
        for (permission, functions) in functionsByPermission {
            guard let function = functions.first(where: { $0.hasSuffix(".\(match.1)") }) else { continue }
            return "If \(function) is meant: --allow \(permission) opens it."
        }
        return nil
    }
}
