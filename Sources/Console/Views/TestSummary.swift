import PostgresProtocol
import Scripting

/// What came of test files.
struct TestSummary: ReportView {
    struct File {
        var path: String
        /// Why it could not be loaded.
        var failures: [FailureReport] = []
        var cases: [Case] = []
    }

    struct Case {
        var name: String
        var ending: TestFile.Ending
    }

    var files: [File] = []

    var isEmpty: Bool { files.allSatisfy { $0.cases.isEmpty && $0.failures.isEmpty } }
    var hasFailures: Bool { passed < all.count || unloaded > 0 }

    private var all: [Case] { files.flatMap(\.cases) }
    private var passed: Int { all.count { $0.ending == .passed } }
    private var unloaded: Int { files.count { !$0.failures.isEmpty } }

    var json: String {
        JSONText.object([
            ("passed", String(passed)), ("failed", String(all.count - passed)),
            ("files", JSONText.array(files.map(Self.object))),
        ])
    }

    private static func object(_ file: File) -> String {
        JSONText.object([
            ("path", JSONText.string(file.path)), ("error", JSONText.failure(file.failures.first)),
            ("cases", JSONText.array(file.cases.map(object))),
        ])
    }

    private static func object(_ testCase: Case) -> String {
        var failure: FailureReport?
        if case .failed(let reports) = testCase.ending { failure = reports.first }
        return JSONText.object([
            ("name", JSONText.string(testCase.name)), ("ok", String(testCase.ending == .passed)),
            ("error", JSONText.failure(failure)),
        ])
    }

    func text(_ palette: Palette) -> String {
        let failed = all.count - passed
        var text = "\(passed) passed, " + (failed > 0 ? palette.paint("\(failed) failed", .error) : "0 failed")
        if unloaded > 0 { text += ", \(Figures.count(unloaded, "file")) not loaded" }
        return text + "\n"
    }
}
