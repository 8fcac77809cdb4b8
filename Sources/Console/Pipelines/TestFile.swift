import LuaRuntime
import Scripting

/// One test file in a host of its own.
struct TestFile {
    struct Case: Equatable {
        var name: String
        /// From 1, as the file has registered them.
        var number: Int
    }

    /// How a file or a case ended.
    enum Ending: Equatable {
        case passed
        case failed([FailureReport])
        case interrupted
    }

    let path: String
    let host: ScriptHost
    let showsValues: Bool

    /// Runs the file; its cases, if it has ended well.
    func load() async -> (ending: Ending, cases: [Case]) {
        switch await host.run(.file(path)) {
        case .finished: return await takeCases()
        case .interrupted: return (.interrupted, [])
        case .exited(let code): return (.failed([Self.exited(code)]), [])
        case .failed(let failures): return (.failed(failures.map(report)), [])
        }
    }

    func run(_ testCase: Case) async -> Ending {
        await ending(host.evaluate("package.loaded[\"\(Self.key)\"][\(testCase.number)].fn()"))
    }

    /// Where the cases are kept in the Lua state.
    private static let key = "replhost.test.cases"

    private func takeCases() async -> (ending: Ending, cases: [Case]) {
        let outcome = await host.evaluate(
            """
            local cases, names = require("replhost.test").take(), {}
            package.loaded["\(Self.key)"] = cases
            for i, case in ipairs(cases) do names[i] = case.name end
            return table.unpack(names)
            """)
        guard case .values(let names) = outcome else { return (ending(outcome, isOwn: true), []) }
        return (.passed, names.enumerated().map { Case(name: $1, number: $0 + 1) })
    }

    /// - Parameter isOwn: the code is none of the file's, whose place would say nothing.
    private func ending(_ outcome: EvaluationOutcome, isOwn: Bool = false) -> Ending {
        switch outcome {
        case .values: return .passed
        case .interrupted: return .interrupted
        case .exited(let code): return .failed([Self.exited(code)])
        case .incomplete: return .failed([FailureReport("the test ends in the middle of a statement")])
        case .failed(let failure):
            var report = report(failure)
            if isOwn { (report.place, report.calls) = (nil, []) }
            return .failed([report])
        }
    }

    private func report(_ failure: LuaFailure) -> FailureReport { FailureReport(failure, showsValues: showsValues) }

    private static func exited(_ code: Int32) -> FailureReport {
        FailureReport(code: "RH3484", "the test has called os.exit(\(code))")
    }
}
