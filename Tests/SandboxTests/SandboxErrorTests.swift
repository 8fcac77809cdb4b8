import Sandbox
import Testing

struct SandboxErrorTests {
    @Test func aFailedStartIsToldByTheServersFatalLine() {
        let log = "LOG:  starting\nFATAL:  could not map memory\nLOG:  database system is shut down"
        let error = SandboxError.startFailed(directory: "/d/data", log: log)

        #expect(error.description == "the server in \"/d/data\" did not start: FATAL:  could not map memory")
        #expect(error.hint == "Its log ends with:\n\(log)")
    }

    @Test func missingProgramsComeWithTheRemedy() {
        let error = SandboxError.noServerPrograms(searched: ["/usr/bin"])

        #expect(error.description == "no PostgreSQL server programs found in /usr/bin")
        #expect(error.hint?.contains("apt-get install postgresql") == true)
    }

    @Test func anErrnoIsTranslated() {
        let error = SandboxError.file(operation: "create", path: "/x", errno: 13)

        #expect(error.description == "cannot create \"/x\": Permission denied")
    }
}
