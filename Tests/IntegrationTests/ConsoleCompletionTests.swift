import Foundation
import Testing

/// The scripts of `replhost completions`, in the shells that are there.
@Suite struct ConsoleCompletionTests {
    private func complete(_ words: String...) async throws -> [String] {
        let script = try await ConsoleProcess.run("completions", "bash").output
        let file = try ConsoleProcess.makeFile("replhost.bash", script)
        let folder = (file as NSString).deletingLastPathComponent
        try "".write(toFile: folder + "/shop.lua", atomically: true, encoding: .utf8)
        let text = """
            cd '\(folder)' && source replhost.bash
            COMP_WORDS=(replhost "$@") COMP_CWORD=$# COMP_LINE="replhost $*" COMP_POINT=${#COMP_LINE}
            _replhost replhost "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let result = try await ConsoleProcess(["-c", text, "bash"] + words, of: "/bin/bash").finished()
        #expect(result.errors == "")
        return result.output.split(separator: "\n").map(String.init).sorted()
    }

    @Test func bashCompletesCommandsOptionsAndFiles() async throws {
        #expect(try await complete("sta") == ["status"])
        #expect(try await complete("run", "--tok") == ["--token-file"])
        #expect(try await complete("status", "sh") == ["shop.lua"])
        #expect(try await complete("check", "--json", "sh") == ["shop.lua"])
        #expect(try await complete("completions", "") == ["bash", "fish", "zsh"])
    }

    @Test(arguments: [("fish", "complete -C 'replhost sta'", "status"), ("zsh", "whence -w _replhost", "function")])
    func otherShellsReadTheirs(shell: String, command: String, expected: String) async throws {
        let program = "/usr/bin/" + shell
        // No part of what the tests need.
        guard access(program, X_OK) == 0 else { return }
        let file = try ConsoleProcess.makeFile(
            "script", try await ConsoleProcess.run("completions", shell).output)
        let setup = shell == "zsh" ? "autoload -U compinit; compinit -u -D; " : ""

        let result = try await ConsoleProcess(["-c", "\(setup)source '\(file)'; \(command)"], of: program).finished()

        #expect(result.output.contains(expected), "\(result.errors)")
    }
}
