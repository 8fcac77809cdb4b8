import Foundation
import TestSupport
import Testing

/// Files that change while their pipelines run.
@Suite(.onServer) struct StreamReloadTests {
    private static let taken = "goes on with the changed file"

    private func program() throws -> StreamProgram {
        let program = try StreamProgram(
            #"["public.*"] = function(row) row.v = mark return row end"#, before: #"local mark = "first""#)
        try program.run(onSource: "create table t (id int primary key, v text)")
        return program
    }

    /// Inserts a row; its mark in the target.
    private func mark(of id: Int, _ program: StreamProgram) async throws -> String {
        try program.run(onSource: "insert into t values (\(id))")
        var mark = ""
        _ = await eventually(within: .seconds(15)) {
            mark = (try? program.answer("select v from t where id = \(id)")) ?? ""
            return !mark.isEmpty
        }
        return mark
    }

    @Test func aWatchedFileAndItsModulesTakeEffect() async throws {
        let program = try program()
        let process = try await program.started("--watch")
        #expect(try await mark(of: 1, program) == "first")

        try program.write(module: "marks", #"return "from a module""#)
        let tables = #"["public.*"] = function(row) row.v = mark return row end"#
        try program.write(tables, before: #"local mark = require "marks""#)
        #expect(await eventually { process.errors.contains(Self.taken) }, "\(process.errors)")
        #expect(try await mark(of: 2, program) == "from a module")
        try program.write(module: "marks", "return 'broken")
        #expect(await eventually { process.errors.contains("the changed file is no good") }, "\(process.errors)")
        #expect(process.errors.contains("marks.lua:1"))
        #expect(try await mark(of: 3, program) == "from a module")
        try program.write(module: "marks", #"return "mended""#)
        #expect(await eventually { process.errors.split(separator: Self.taken).count == 3 }, "\(process.errors)")
        #expect(try await mark(of: 4, program) == "mended")

        process.signal(SIGINT)
        #expect(try await process.finished().status == 130)
    }

    @Test func functionsMayComeAndGo() async throws {
        let program = try program()
        try program.write(#"["public.*"] = rh.copy"#)
        let process = try await program.started()

        for (number, tables) in [#"["public.*"] = function(row) row.v = "new" return row end"#, #"["public.*"] = {}"#]
            .enumerated()
        {
            try program.write(tables)
            process.signal(SIGHUP)
            #expect(
                await eventually { process.errors.split(separator: Self.taken).count == number + 2 },
                "\(process.errors)")
        }
        try program.run(onSource: "insert into t values (1, 'plain')")
        #expect(await eventually { (try? program.answer("select v from t where id = 1")) == "plain" })

        process.signal(SIGINT)
        _ = try await process.finished()
    }

    @Test func watchingNeedsAFile() async throws {
        let result = try await ConsoleProcess.run("run", "--watch", "-e", "print(1)")

        #expect(result.status == 2 && result.errors.contains("--watch needs a FILE"))
    }
}
