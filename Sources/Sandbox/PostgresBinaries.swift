import Glibc

/// A directory with PostgreSQL's server programs.
package struct PostgresBinaries: Equatable, Sendable {
    package let directory: String
    /// The major version, such as "15".
    package let majorVersion: String

    package func path(_ program: String) -> String {
        directory + "/" + program
    }

    /// The newest server found by `pg_config --bindir`, in the usual directories and in `PATH`; with `majorVersion`
    /// only one of that version, if there is one.
    package static func find(majorVersion: String? = nil) throws(SandboxError) -> PostgresBinaries {
        let directories = candidates()
        let found = directories.compactMap(inspect)
        let newestFirst = found.sorted { (Int($0.majorVersion) ?? 0) > (Int($1.majorVersion) ?? 0) }
        let matching = newestFirst.first { majorVersion == nil || $0.majorVersion == majorVersion }
        guard let best = matching ?? newestFirst.first else { throw .noServerPrograms(searched: directories) }
        return best
    }

    private static func candidates() -> [String] {
        var directories = FileTree.names(in: "/usr/lib/postgresql").sorted().map { "/usr/lib/postgresql/\($0)/bin" }
        directories += FileTree.names(in: "/usr").filter { $0.hasPrefix("pgsql") }.sorted().map { "/usr/\($0)/bin" }
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        directories += path.split(separator: ":").map(String.init)
        if directories.allSatisfy({ !FileTree.isExecutable($0 + "/initdb") }), let configured = configuredDirectory() {
            directories.append(configured)
        }
        return directories
    }

    /// What pg_config says; asked last, since it costs a process.
    private static func configuredDirectory() -> String? {
        guard let account = try? ServerAccount.current(),
            let result = try? Command(["pg_config", "--bindir"], as: account).run(), result.status == 0
        else { return nil }
        return result.output.split(separator: "\n").first.map(String.init)
    }

    private static func inspect(_ directory: String) -> PostgresBinaries? {
        for program in ["initdb", "postgres"] where !FileTree.isExecutable(directory + "/" + program) {
            return nil
        }
        // Debian's directories carry the version; elsewhere the program is asked.
        let parts = directory.split(separator: "/")
        if parts.count > 1, Int(parts[parts.count - 2]) != nil {
            return PostgresBinaries(directory: directory, majorVersion: String(parts[parts.count - 2]))
        }
        return reportedVersion(directory).map { PostgresBinaries(directory: directory, majorVersion: $0) }
    }

    /// From "postgres (PostgreSQL) 15.18 (Debian …)".
    private static func reportedVersion(_ directory: String) -> String? {
        guard let account = try? ServerAccount.current(),
            let result = try? Command([directory + "/postgres", "--version"], as: account).run()
        else { return nil }
        let words = result.output.split(separator: " ")
        guard words.count > 2 else { return nil }
        return String(words[2].prefix { $0.isNumber })
    }
}
