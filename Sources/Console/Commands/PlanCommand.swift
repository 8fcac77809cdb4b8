import ArgumentParser
import Scripting

/// `replhost plan`.
struct PlanCommand: PipelineCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Shows what a run would do: the tables, and the SQL for source and target.",
        usage: "replhost plan [<options>] FILE",
        discussion: "Nothing is written.")

    @OptionGroup var pipelines: PipelineArguments

    func perform(on session: PipelineSession) async -> Int32 {
        session.show(await session.host.plan()) { plans in
            session.write(PlanView(plans: plans))
            return ExitCode.done
        }
    }
}
