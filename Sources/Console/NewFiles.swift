@preconcurrency import Glibc
import PostgresProtocol
import Sandbox
import Scripting

/// What `replhost init` writes.
struct NewFiles {
    private static let settings = ".luarc.json"

    private let command: InitCommand
    private let path: String

    init(_ command: InitCommand) {
        self.command = command
        let given = command.path ?? ""
        let isFolder = given.hasSuffix("/") || FileTree.isDirectory(given)
        path = given.isEmpty || isFolder ? Self.joined(given, command.template.usualPath) : given
    }

    func write() -> Int32 {
        do throws(FailureReport) {
            let files = try files()
            if !command.force { for file in files { try requireNone(at: file.path) } }
            for file in files { try create(file.path, file.text) }
            Terminal.write(try settingsLine(files.map(\.path)) + next(files))
            return ExitCode.done
        } catch {
            return FailureReporter().fail([error])
        }
    }

    // MARK: What there is to write

    private func files() throws(FailureReport) -> [(path: String, text: String)] {
        guard path.hasSuffix(".lua"), let name = path.split(separator: "/").last, name != ".lua" else {
            throw FailureReport(
                code: "RH0131", "\"\(path)\" is no name for a Lua file", hint: "It ends in .lua, as in shop.lua.")
        }
        var files = [(path, try template(command.template.rawValue))]
        if command.template != .script {
            files.append((path.dropLast(4) + "_test.lua", try template("\(command.template.rawValue)_test")))
        }
        let stem = String(name.dropLast(4))
        let usual = command.template.usualPath.dropLast(4)
        return files.map { path, text in
            let named = text.replacing("\(usual)_test.lua", with: "\(stem)_test.lua")
            return (path, named.replacing("\(usual).lua", with: "\(stem).lua"))
        }
    }

    private func template(_ name: String) throws(FailureReport) -> String {
        guard let text = StandardLibraryFile.path("replhost/templates/\(name).lua").flatMap(TextFile.read) else {
            throw FailureReport(
                code: "RH1006", "cannot find the template \"\(name)\" in the standard library",
                hint: "Keep the folder \"stdlib\" beside the executable, or above it.")
        }
        return text
    }

    /// For the Lua language server.
    private static var settingsText: String {
        let library = JSONText.strings([StandardLibraryFile.path("replhost/meta")].compactMap(\.self))
        return """
            {
              "runtime.version": "Lua 5.4",
              "workspace.library": \(library),
              "workspace.checkThirdParty": false
            }

            """
    }

    // MARK: Writing

    private func requireNone(at path: String) throws(FailureReport) {
        guard access(path, F_OK) != 0 else {
            throw FailureReport(
                code: "RH0132", "\"\(path)\" is there already",
                hint: "Name another file, or replace it with --force.")
        }
    }

    private func create(_ path: String, _ text: String) throws(FailureReport) {
        if path.contains("/") { try? FileTree.makeDirectories(FileTree.parent(of: path), mode: 0o755) }
        try WrittenFile(path).write(text, to: open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666))
    }

    /// Settings of an editor may hold more than ours: they are never replaced.
    private func settingsLine(_ written: [String]) throws(FailureReport) -> String {
        let path = folder + Self.settings
        guard access(path, F_OK) != 0 else {
            return "wrote \(written.joined(separator: ", ")); \(path) was there and stays as it is\n"
        }
        try create(path, Self.settingsText)
        return "wrote \((written + [path]).joined(separator: ", "))\n"
    }

    /// With a slash at its end; empty if the path has none.
    private var folder: String { path.lastIndex(of: "/").map { String(path[...$0]) } ?? "" }

    // MARK: What comes next

    private func next(_ files: [(path: String, text: String)]) -> String {
        guard command.template != .script else {
            return "\nDATABASE_URL says where it connects to; without it, to a server of its own. Next:\n\n"
                + "  replhost \(path)\n"
        }
        return """

            SOURCE_URL and TARGET_URL say where rows come from and go to; without them, servers of its own. Next:

              replhost test \(files[1].path)
            \(command.template.isCheckable ? "  replhost check \(path)\n" : "")  replhost \(path)

            """
    }

    private static func joined(_ folder: String, _ name: String) -> String {
        if folder.isEmpty || folder == "." { return name }
        return folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
    }
}
