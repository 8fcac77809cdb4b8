import Foundation
import Testing

@testable import Console

@Suite struct BackslashLineTests {
    @Test func splitsAtBlanksOutsideOfQuotes() {
        let line = BackslashLine(#"\c host=x password='a b' "#)

        #expect(line.name == "c")
        #expect(line.arguments == ["host=x", "password=a b"])
        #expect(line.rest == "host=x password='a b'")
        #expect(BackslashLine(#"\d "Odd Name".x;"#).arguments == [#""Odd Name".x"#])
        #expect(BackslashLine(#"\dt+"#).name == "dt")
    }

    @Test func everyCommandIsInTheHelp() {
        let help = BackslashCommand.help()

        #expect(BackslashCommand.allCases.allSatisfy { help.contains("\\\($0.rawValue) ") })
    }
}

@Suite struct SecretsTests {
    @Test(arguments: [
        "create role ann password 'x';", "ALTER USER ann WITH ENCRYPTED PASSWORD 'x';",
        "rh.pool { password = 'x' }", "\\c postgres://ann:x@db/shop", "pool = rh.pool { dsn = 'host=db password=x' }",
        "PGPASSWORD=x",
    ])
    func areFound(_ text: String) {
        #expect(Secrets.areIn(text))
    }

    @Test(arguments: [
        "select 1;", "select password_hash from users;", "\\c postgres://ann@db/shop", "x = 'http://host:80/a'",
    ])
    func areNotSeenWhereNoneAre(_ text: String) {
        #expect(!Secrets.areIn(text))
    }
}

@Suite struct HistoryFileTests {
    @Test func givesBackWhatWasAdded() throws {
        let directory = FileManager.default.temporaryDirectory.path + "/replhost-history-\(UUID())"
        let path = directory + "/deep/history"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let file = HistoryFile(path: path)
        file.add("select 1,\n  '\\n';")
        file.add("x = 'a\\\\b'")

        #expect(file.load() == ["select 1,\n  '\\n';", "x = 'a\\\\b'"])
        #expect(HistoryFile(path: path + "-none").load() == [])
    }
}

@Suite struct DefinitionsTests {
    private let definitions = Definitions(
        """
        ---@meta
        ---@class replhost
        ---@field json replhost.json

        --- Borrows a connection.
        ---@param timeout Duration? how long
        ---@return Connection
        function Pool:getconn(timeout) end

        function rh.json.decode(text) end
        """)

    @Test func tellsOfNames() {
        let text =
            "Pool:getconn(timeout)\n  Borrows a connection.\n    timeout Duration? how long\n    returns Connection\n"

        #expect(definitions.help(on: "pool:getconn") == text)
        #expect(definitions.help(on: "pool.getconn") == text)
        #expect(definitions.help(on: "getconn") == text)
        #expect(definitions.help(on: "nothing") == nil)
        #expect(definitions.members(of: "rh") == ["json"])
        #expect(definitions.members(of: "rh.json") == ["decode"])
    }
}
