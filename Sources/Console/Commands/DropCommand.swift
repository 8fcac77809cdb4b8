import ArgumentParser
import Scripting

/// `replhost drop`.
struct DropCommand: PipelineCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop",
        abstract: "Forgets what pipelines have done; the copied tables stay.",
        usage: "replhost drop [<options>] FILE",
        discussion: """
            Says first what it removes, and asks; without a terminal, only --yes makes it do so. The next run begins \
            from nothing.
            """)

    @OptionGroup var pipelines: PipelineArguments

    @Flag(help: "Does not ask.")
    var yes = false

    func perform(on session: PipelineSession) async -> Int32 {
        await session.show(await session.host.describeDrop()) { parts in
            guard !parts.isEmpty else { return session.done(DropView(removed: [])) }
            Terminal.writeError("This removes:\n" + parts.map { "  \(TerminalText.escaped($0))\n" }.joined())
            if !yes, let code = await session.refusal() { return code }
            return session.show(await session.host.drop()) { session.done(DropView(removed: $0)) }
        }
    }
}
