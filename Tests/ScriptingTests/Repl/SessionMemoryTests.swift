import Testing

@testable import Scripting

@Suite struct SessionMemoryTests {
    private func losses(_ statements: String..., hadTransaction: Bool = false) -> [String] {
        var memory = SessionMemory()
        for statement in statements { memory.note(statement) }
        return memory.losses(hadTransaction: hadTransaction)
    }

    @Test func keepsWhatEndsWithTheSession() {
        let all = losses(
            "SET work_mem = '5MB'", "set search_path to a, b", "create temp table if not exists Mine(id int)",
            "/* c */ listen \"jobs\"", "prepare p as select 1", hadTransaction: true)

        #expect(
            all == [
                "the open transaction", "settings work_mem, search_path", "temporary tables mine", "LISTEN on jobs",
                "prepared statements p",
            ])
    }

    @Test func forgetsWhatWasTakenBack() {
        #expect(losses("set a.b = 1", "reset a.b", "listen x", "unlisten *") == [])
        #expect(losses("set x = 1", "listen y", "create temp table t (a int)", "discard all") == [])
        #expect(losses("set local x = 1", "set transaction read only", "select 1", "create table t (a int)") == [])
        #expect(losses("create temporary table t (a int)", "drop table t") == [])
    }
}
