import Sandbox
import Testing

struct CommandTests {
    @Test func collectsOutputAndStatus() throws {
        let result = try shell("echo out; echo err >&2; exit 3").run()

        #expect(result.status == 3)
        #expect(result.output == "out\nerr\n")
    }

    @Test func reportsTheSignalThatEndedIt() throws {
        #expect(try shell("kill -9 $$").run().status == 128 + 9)
    }

    @Test func hidesOpenFilesAndPostgresVariables() throws {
        let output = try shell("ls /proc/self/fd | wc -l; env | grep -c '^PG' || true").runChecked()

        // 0, 1, 2 and the one ls reads the directory with.
        #expect(output == "4\n0\n")
    }

    @Test func aFailureCarriesWhatItPrinted() throws {
        #expect(throws: SandboxError.programFailed(program: "/bin/sh", status: 1, output: "no\n")) {
            try shell("echo no; exit 1").runChecked()
        }
    }

    private func shell(_ script: String) throws -> Command {
        Command(["/bin/sh", "-c", script], as: try ServerAccount.current())
    }
}
