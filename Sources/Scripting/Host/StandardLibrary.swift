import Glibc

/// Where the standard library's Lua files are: beside the executable or above it, wherever that was copied to.
enum StandardLibrary {
    /// Absolute; nil if there is none.
    static let directory: String? = {
        guard let executable = realPath("/proc/self/exe") else { return nil }
        var directory = parent(of: executable)
        for _ in 0..<8 {
            for candidate in ["\(directory)/stdlib", "\(directory)/share/replhost/stdlib"] {
                if access("\(candidate)/replhost/init.lua", R_OK) == 0 { return candidate }
            }
            if directory.isEmpty { break }
            directory = parent(of: directory)
        }
        return nil
    }()

    /// Absolute, without links; nil if there is no such file.
    static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return String(path[..<slash])
    }
}

/// Files of the standard library that are no Lua code.
package enum StandardLibraryFile {
    /// Absolute; nil if there is no standard library.
    package static func path(_ name: String) -> String? { StandardLibrary.directory.map { "\($0)/\(name)" } }
}
