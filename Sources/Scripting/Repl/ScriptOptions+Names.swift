import LuaRuntime

extension ScriptOptions {
    /// What `--allow` can name.
    package static let permissionNames = ["io", "os", "debug", "bytecode"]

    /// Allows what one of `permissionNames` stands for; other names are nothing.
    package mutating func allow(_ name: String) {
        switch name {
        case "io": permissions.insert(.io)
        case "os": permissions.insert(.os)
        case "debug": permissions.insert(.debug)
        case "bytecode": permissions.insert(.bytecode)
        default: break
        }
    }
}
