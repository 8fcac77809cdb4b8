import Glibc

/// Where files of the user belong, by the XDG base directory specification.
package enum UserDirectory: String {
    case state = "XDG_STATE_HOME"
    case config = "XDG_CONFIG_HOME"
    /// For sockets; the system may not have one.
    case runtime = "XDG_RUNTIME_DIR"

    /// Absolute, without a slash at its end; nil if neither the variable nor HOME is an absolute path.
    package var path: String? {
        Self.absolutePath(in: rawValue) ?? usual.flatMap { usual in Self.absolutePath(in: "HOME").map { $0 + usual } }
    }

    private var usual: String? {
        switch self {
        case .state: "/.local/state"
        case .config: "/.config"
        case .runtime: nil
        }
    }

    private static func absolutePath(in variable: String) -> String? {
        guard let value = getenv(variable) else { return nil }
        let path = String(cString: value)
        guard path.hasPrefix("/"), path.count > 1 else { return nil }
        return path.hasSuffix("/") ? String(path.dropLast()) : path
    }
}
