import Foundation
import TestSupport
import Testing

/// `replhost init`: what it writes works as it is.
@Suite(.onServer) struct ConsoleInitTests {
    private let folder: String

    init() throws { folder = try TestWorkspace.shared().makeDirectory("init") }

    private func initialize(_ arguments: String...) async throws -> ConsoleProcess.Output {
        try await ConsoleProcess(["init"] + arguments).finished()
    }

    private func text(_ name: String) throws -> String {
        try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
    }

    @Test(arguments: ["mask", "copy", "fanout"]) func aTemplateRunsAsItIsWritten(template: String) async throws {
        let server = try TestServer.shared()
        let (source, target) = (try server.makeDatabase(), try server.makeDatabase())
        try server.run(
            """
            create table orders (id bigint primary key, email text, name text, tags text[]);
            insert into orders values (1, 'ann@mail.example', 'Ann', '{new,gift,new}'), (2, null, 'Bob', null)
            """, in: source)
        let environment = ["SOURCE_URL": source, "TARGET_URL": target]
        let path = folder + "/sub/shop.lua"

        let written = try await initialize(path, "--template", template)
        #expect(written.status == 0)
        #expect(written.output.contains("wrote \(path), \(folder)/sub/shop_test.lua, \(folder)/sub/.luarc.json"))
        #expect(try !text("sub/shop.lua").contains("pipeline.lua"))

        #expect(written.output.contains("replhost check") == (template != "fanout"))

        for arguments in [["test", folder + "/sub"], ["run", "--once", path], ["verify", path]] {
            let result = try await ConsoleProcess(arguments, environment: environment).finished()
            #expect(result.status == 0, "\(arguments): \(result.output)\(result.errors)")
        }
        let answer = try server.run(
            "select count(*), count(*) filter (where email like 'ann@%') from orders", in: target)
        #expect(answer == (template == "mask" ? "2|0" : "2|1"))
        if template == "fanout" {
            #expect(
                try server.run("select string_agg(tag, ' ' order by tag) from order_tags", in: target) == "gift new")
        }
    }

    @Test func theScriptRunsAsItIsWritten() async throws {
        let written = try await initialize(folder, "--template", "script")
        #expect(written.output.contains("wrote \(folder)/script.lua, \(folder)/.luarc.json"))

        let dsn = try TestServer.shared().makeDatabase()
        let result = try await ConsoleProcess.run(folder + "/script.lua", environment: ["DATABASE_URL": dsn])

        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("squares: 1, 4, 9, 16"))
        #expect(result.output.contains("refused: "))
    }

    @Test(arguments: [("copy", "transcript"), ("mask", "my_pipeline"), ("script", "myscript")])
    func onlyItsOwnNameStandsInIt(template: String, name: String) async throws {
        _ = try await initialize("\(folder)/\(name).lua", "--template", template)

        let text = try text("\(name).lua")
        let names = Set(text.matches(of: /replhost (?:[a-z]+ )?(\w+\.lua)/).map { String($0.1) })
        #expect(names == ["\(name).lua"])
    }

    @Test func theEditorsSettingsNameTheDefinitions() async throws {
        _ = try await initialize(folder)

        let settings = try JSONSerialization.jsonObject(with: Data(try text(".luarc.json").utf8)) as? [String: Any]
        let library = try #require((settings?["workspace.library"] as? [String])?.first)
        #expect(FileManager.default.fileExists(atPath: library + "/replhost.lua"))
        #expect(settings?["runtime.version"] as? String == "Lua 5.4")
    }

    @Test func whatIsThereStays() async throws {
        let path = folder + "/shop.lua"
        try "mine".write(toFile: path, atomically: true, encoding: .utf8)
        try "{}".write(toFile: folder + "/.luarc.json", atomically: true, encoding: .utf8)

        let refused = try await initialize(path)
        #expect(refused.status == 1)
        #expect(refused.errors.contains("RH0132]: \"\(path)\" is there already"))
        #expect(try text("shop.lua") == "mine")
        #expect(!FileManager.default.fileExists(atPath: folder + "/shop_test.lua"))

        let forced = try await initialize(path, "--force")
        #expect(forced.status == 0)
        #expect(forced.output.contains(".luarc.json was there and stays as it is"))
        #expect(try text("shop.lua").contains("rh.pipeline"))
        #expect(try text(".luarc.json") == "{}")
    }

    @Test func wrongUseIsSaid() async throws {
        #expect(try await initialize("--template", "maks").status == 2)
        #expect(try await initialize("shop.txt").errors.contains("RH0131"))
        #expect(try await initialize("/proc/shop.lua").errors.contains("cannot write"))
        #expect(try await initialize("/dev/null/shop.lua").errors.contains("RH3491"))
    }
}
