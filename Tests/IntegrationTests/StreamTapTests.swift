import Foundation
import TestSupport
import Testing

/// `replhost tap`: changes as they pass, beside a pipeline that may be running.
@Suite(.onServer) struct StreamTapTests {
    private struct Line: Decodable, Equatable {
        struct Output: Decodable, Equatable {
            var op: String
            var table: String
            var row: [String: String?]
            var oldKey: [String: String]?
        }

        struct Failure: Decodable, Equatable {
            var code: String
            var message: String
        }

        var op: String
        var table: String
        var key: [String: String]
        var before: [String: String?]
        var unchanged: [String]
        var after: [Output]
        var error: Failure?
        var commitTime: String
        var xid: Int
    }

    private static let tables = """
        create table c (id int primary key, name text, note text); alter table c alter note set storage external;
        create table log (id int, what text); create table plain (id int primary key, v text)
        """

    private func program() throws -> StreamProgram {
        let program = try StreamProgram(
            """
            ["public.c"] = function(row)
              if row.name == "bad" then error("no bad names") end
              if row.name == "drop" then return rh.drop end
              if row.name == "two" then return { row, rh.to("public.log", { id = row.id, what = "two" }) } end
              row.name = row.name and row.name ~= rh.unchanged and row.name:upper() or row.name
              return row
            end,
            ["public.*"] = { where = "id < 1000" }
            """)
        try program.run(onSource: Self.tables)
        return program
    }

    private func tapped(_ program: StreamProgram, _ arguments: String..., change: String...) async throws -> String {
        let tap = try ConsoleProcess(["tap"] + arguments + [program.path])
        try #require(await eventually { tap.errors.contains("from now on") }, "\(tap.errors)")
        try program.run(onSource: change)
        let result = try await tap.finished()
        #expect(result.status == 0, "\(result.errors)")
        return result.output
    }

    @Test func showsWhatFunctionsMakeOfChangesAndWritesNothing() async throws {
        let program = try program()
        try await program.follow()
        let before = try program.answer("select position, changes from replhost.stream")

        let output = try await tapped(
            program, "--json", "-n", "10",
            change:
                "insert into c values (1, 'ann', repeat('x', 5000)), (2, 'bad', null), (3, 'drop', null), (4, 'two', null)",
            "update c set name = 'bob' where id = 1", "update c set name = 'drop' where id = 4",
            "update c set id = 9, name = 'eve' where id = 2",
            "insert into plain values (1, 'v'), (2000, 'filtered')", "delete from plain where id = 1", "truncate plain")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let lines = try output.split(separator: "\n").map { try decoder.decode(Line.self, from: Data($0.utf8)) }

        #expect(
            lines.map { "\($0.op) \($0.table)" } == [
                "insert public.c", "insert public.c", "insert public.c", "insert public.c", "update public.c",
                "update public.c", "update public.c", "insert public.plain", "delete public.plain",
                "truncate public.plain",
            ])
        #expect(lines[0].before["name"] == "ann" && lines[0].after.first?.row["name"] == "ANN")
        #expect(lines[1].error?.message == "no bad names" && lines[1].after.isEmpty)
        #expect(lines[2].error == nil && lines[2].after.isEmpty)
        #expect(lines[3].after.map(\.table) == ["public.c", "public.log"])
        #expect(lines[4].unchanged == ["note"] && lines[4].after.map(\.op) == ["update"])
        #expect(lines[4].after[0].row == ["id": "1", "name": "BOB"])
        #expect(lines[5].after.map(\.op) == ["delete"] && lines[5].after[0].row == ["id": "4"])
        #expect(lines[6].after.first?.oldKey == ["id": "2"] && lines[6].key == ["id": "9"])
        #expect(lines[8].before == ["id": "1"] && lines[8].after.map(\.op) == ["delete"])
        #expect(lines[9].after.map(\.op) == ["truncate"])
        #expect(Set(lines.map(\.xid)).count == 7)
        #expect(try program.answer("select position, changes from replhost.stream") == before)
        #expect(try program.answer("select count(*) from c") == "0")
        #expect(try program.slots() == "1")
    }

    @Test func worksBesideTheRunAndForOneTable() async throws {
        let program = try program()
        let run = try await program.started()

        let output = try await tapped(
            program, "--table", "plain", "-n", "1",
            change: "insert into c values (1, 'ann', null)", "insert into plain values (1, 'v')")

        #expect(output.hasPrefix("insert public.plain id=1  2"))
        #expect(output.hasSuffix("      id  1\n      v   v\n"))
        #expect(await eventually { (try? program.answer("select name from c")) == "ANN" })
        run.signal(SIGINT)
        _ = try await run.finished()
        #expect(try program.slots() == "1")
    }

    @Test func goesOnWhenItsConnectionIsLost() async throws {
        let program = try program()
        try await program.follow()
        let tap = try ConsoleProcess(["tap", "--json", "-n", "2", program.path])
        try #require(await eventually { tap.errors.contains("from now on") }, "\(tap.errors)")
        try program.run(onSource: "insert into plain values (1, 'before')")
        #expect(await eventually { tap.printed.contains("before") })
        try program.run(
            onSource: """
                select pg_terminate_backend(active_pid) from pg_replication_slots
                where temporary and database = current_database()
                """)
        #expect(await eventually { tap.errors.components(separatedBy: "from now on").count == 3 }, "\(tap.errors)")
        try program.run(onSource: "insert into plain values (2, 'after')")
        let result = try await tap.finished()
        #expect(result.status == 0 && result.output.contains("\"after\""), "\(result.errors)")
        #expect(result.errors.contains("trying again"))
    }

    @Test func wrongUseIsExplained() async throws {
        let program = try program()
        let early = try await ConsoleProcess.run("tap", program.path)
        try await program.follow()
        let other = try await ConsoleProcess.run("tap", "--table", "plan", program.path)
        let none = try await ConsoleProcess.run("tap", "-n", "0", program.path)

        #expect(early.status == 1 && early.errors.contains("RH3641") && early.errors.contains("Run it first"))
        #expect(other.status == 1 && other.errors.contains("did you mean public.plain?"))
        #expect(none.status == 2 && none.errors.contains("from 1 on"))
        let tap = try ConsoleProcess(["tap", program.path])
        #expect(await eventually { tap.errors.contains("from now on") })
        tap.signal(SIGINT)
        #expect(try await tap.finished().status == 130)
        #expect(try program.slots() == "1")
    }
}
