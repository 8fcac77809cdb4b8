import Foundation
import TestSupport
import Testing

/// The prompt on a real terminal: what somebody types, and what they see.
@Suite(.onServer) struct ReplTerminalTests {
    @Test func showsDatabaseAndTransactionInThePrompt() async throws {
        let (terminal, dsn) = try await ReplTerminal.onDatabase()
        let name = try TestServer.shared().run("select current_database()", in: dsn)
        await terminal.expectPrompt("\(name)=> ")
        terminal.enter("begin;")
        await terminal.expectPrompt("\(name)*> ")
        terminal.enter("select nothing;")
        await terminal.expectPrompt("\(name)!> ")
        terminal.enter("rollback;")
        await terminal.expectPrompt("\(name)=> ")

        #expect(try await terminal.leave() == 0)
    }

    @Test func asksBeforeItLeavesATransaction() async throws {
        let (terminal, _) = try await ReplTerminal.onDatabase()
        terminal.enter("begin;")
        await terminal.expectPrompt("*> ")
        terminal.type("\u{4}")
        await terminal.expectTyped("Leave? [y/N] ")
        terminal.enter("n")
        await terminal.expectPrompt("*> ")
        terminal.enter("\\q")
        await terminal.expectTyped("Leave? [y/N] ")
        terminal.enter("y")

        #expect(try await terminal.process.finished().status == 0)
    }

    @Test func editsAndRecallsStatementsOfSeveralLinesAsAWhole() async throws {
        let (terminal, _) = try await ReplTerminal.onDatabase()
        terminal.enter("select 20 +")
        await terminal.expectTyped("-> ")
        terminal.enter("  22 as answer;")
        await terminal.expect("     42")
        await terminal.expectPrompt()
        terminal.type(ReplTerminal.up)
        await terminal.expect("the statement again") { $0.beforeCursor.hasSuffix("->   22 as answer;") }
        // Up into the first line, to its beginning, behind the 2 of 20.
        terminal.type(ReplTerminal.up + ReplTerminal.home + "\u{1B}f\u{1B}f\u{7F}\u{7F}60")
        await terminal.expectTyped("select 60")
        terminal.type("\r")
        await terminal.expect("     82")
        await terminal.expectPrompt()

        #expect(try await terminal.leave() == 0)
    }

    @Test func editsWithTheKeysPeopleKnow() async throws {
        let (terminal, _) = try await ReplTerminal.onDatabase()
        terminal.type("print 'wrong'\u{1}return \u{5}\u{17}\u{17}")
        await terminal.expectTyped("return ")
        terminal.type("'ac'\(ReplTerminal.left)\(ReplTerminal.left)b\u{5} .. 'x'")
        await terminal.expectTyped("return 'abc' .. 'x'")
        terminal.type("\u{1B}b\u{1B}b\u{B}\u{19}\u{19}")
        await terminal.expectTyped("return 'abc' .. 'x'abc' .. 'x'")
        terminal.type("\u{15}return 'done'\r")
        await terminal.expect("\ndone")

        #expect(try await terminal.leave() == 0)
    }

    @Test func keepsItsHistoryWithoutPasswords() async throws {
        let home = try TestWorkspace.shared().makeDirectory("state")
        let state = ["XDG_STATE_HOME": home]
        let (first, dsn) = try await ReplTerminal.onDatabase(environment: state)
        first.enter("select 'kept' as a,")
        first.enter("  2 as b;")
        await first.expect("(1 row)")
        first.enter("create role ann password 'hidden';")
        first.enter("p = 'postgres://ann:hidden@db/x'; q = { password = 'hidden' }")
        first.enter("'sentinel'")
        await first.expect("\nsentinel")
        await first.expectPrompt()
        #expect(try await first.leave() == 0)
        let path = home + "/replhost/history"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        let second = try ReplTerminal([dsn], environment: state)
        await second.expectPrompt()
        second.type("\u{12}kept")
        await second.expect("(search) kept: select 'kept' as a,")
        second.type("\r")
        await second.expect("kept | 2")
        await second.expectPrompt()

        #expect(text == "select 'kept' as a,\\n  2 as b;\n'sentinel'\n")
        #expect(mode == 0o600)
        #expect(try await second.leave() == 0)
    }

    @Test func takesAPasteAsItIs() async throws {
        let (terminal, _) = try await ReplTerminal.onDatabase()
        terminal.paste("select 'a\tb' as tab,\r\n\t7 as n;\nselect 8 as m;")
        await terminal.expect("all of it, and nothing run") {
            $0.visible.contains("select 'a") && $0.beforeCursor.hasSuffix("select 8 as m;")
                && !$0.visible.contains("row)")
        }
        terminal.type("\r")
        await terminal.expect("a\\tb | 7")
        await terminal.expect(" 8\n")
        await terminal.expectPrompt()

        #expect(try await terminal.leave() == 0)
    }

    @Test func completesNames() async throws {
        let (terminal, _) = try await ReplTerminal.onDatabase(
            "create table customers (id int, first_name text, fax text); create table custody (id int)")
        // The catalog is read in the background: a table's name, once it has come.
        await Self.complete(terminal, "select * from customer", to: "customers")
        terminal.type(" where fir\t")
        await terminal.expectTyped("where first_name")
        terminal.type("\u{15}select f\u{1}\u{5} from customers\u{1}\u{1B}f\u{1B}f\t")
        await terminal.expect("fax         first_name")
        terminal.type("\u{3}")
        await terminal.expectPrompt()
        terminal.type("rh.json.enc\t")
        await terminal.expectTyped("rh.json.encode")
        terminal.type("\u{15}conn:tryq\t")
        await terminal.expectTyped("conn:tryquery")
        terminal.type("\u{15}\\timi\t")
        await terminal.expectTyped("\\timing ")
        terminal.type("\u{15}trap = setmetatable({ fine = 1 }, { __index = function() error('called') end })\r")
        await terminal.expectPrompt()
        terminal.type("trap.fi\t")
        await terminal.expectTyped("trap.fine")
        terminal.type("\u{15}create table brand_new (id int);\r")
        await terminal.expect("CREATE TABLE")
        await Self.complete(terminal, "table brand_n", to: "brand_new")
        terminal.type("\u{3}")

        #expect(try await terminal.leave() == 0)
    }

    /// Presses Tab until the catalog has the name.
    private static func complete(_ terminal: ReplTerminal, _ text: String, to name: String) async {
        terminal.type(text)
        await terminal.expect("\(text) completed to \(name)") { screen in
            if screen.beforeCursor.hasSuffix(name) { return true }
            terminal.type("\t")
            return false
        }
    }

    @Test func showsWideCharactersInAlignedTables() async throws {
        let (terminal, _) = try await ReplTerminal.onDatabase()
        terminal.enter("select '日本語' as \"名前\", 'e\u{301}' as b, 10 as n union all select 'x', null, 7;")
        await terminal.expect(" x      | NULL |  7")
        #expect(terminal.visible.contains("  名前  |  b   |  n"))
        // Editing counts them as two columns.
        terminal.type("'日本\(ReplTerminal.left)x'")
        await terminal.expectTyped("'日x'")
        terminal.type("\u{3}")

        #expect(try await terminal.leave() == 0)
    }

    @Test func worksInANarrowWindowAndWhenItChanges() async throws {
        let (terminal, _) = try await ReplTerminal.onDatabase(width: 24, height: 12)
        terminal.type("select 'abcdefghijklmnopqrstuvwxyz' as letters;")
        await Self.expectWhole(terminal)
        terminal.resize(width: 60, height: 12)
        await terminal.expectTyped("=> select 'abcdefghijklmnopqrstuvwxyz' as letters;")
        terminal.resize(width: 20, height: 12)
        await Self.expectWhole(terminal)
        terminal.type("\r")
        await terminal.expect("letters | abcdefghij")
        await terminal.expect("-[ row 1 ]")
        await terminal.expectPrompt()

        #expect(try await terminal.leave() == 0)
    }

    /// The statement is to be seen once, over whatever rows; a blank at the end of one is not seen.
    private static func expectWhole(_ terminal: ReplTerminal) async {
        await terminal.expect("the whole statement") { screen in
            let text = screen.visible.filter { !$0.isWhitespace }
            return text.hasSuffix("=>select'abcdefghijklmnopqrstuvwxyz'asletters;")
                && screen.beforeCursor.hasSuffix(";")
        }
    }

    @Test func showsNoColoursIfAskedNotTo() async throws {
        let (plain, _) = try await ReplTerminal.onDatabase(environment: ["NO_COLOR": "1"])
        plain.enter("error('no')")
        await plain.expect("error: no")
        await plain.expectPrompt()
        let (coloured, _) = try await ReplTerminal.onDatabase()
        coloured.enter("error('no')")
        await coloured.expect("error: no")
        await coloured.expectPrompt()

        #expect(!String(decoding: plain.bytes, as: UTF8.self).contains(/\u{1B}\[[0-9;]*m/))
        #expect(String(decoding: coloured.bytes, as: UTF8.self).contains(/\u{1B}\[[0-9;]*m/))
        #expect(try await plain.leave() == 0)
        #expect(try await coloured.leave() == 0)
    }

    @Test func showsLargeResultsPageByPage() async throws {
        let (terminal, _) = try await ReplTerminal.onDatabase(height: 10)
        terminal.enter("select i as n from generate_series(1, 100000) i;")
        await terminal.expect("   7\n-- more: Space a page")
        terminal.type(" ")
        await terminal.expect("  16\n-- more")
        terminal.type("q")
        await terminal.expectPrompt()
        terminal.enter("select 40 + 2 as answer;")
        await terminal.expect("     42")
        terminal.enter("select i as n from generate_series(1, 100000) i;")
        await terminal.expect("-- more")
        terminal.type("G")
        await terminal.expect(" 100000\n(100000 rows)")

        #expect(try await terminal.leave() == 0)
    }

    @Test func usesThePagerForWhatIsLongerThanTheWindow() async throws {
        let file = try TestWorkspace.shared().makeDirectory("pager") + "/paged"
        let (terminal, _) = try await ReplTerminal.onDatabase(height: 10, environment: ["PAGER": "cat > \(file)"])
        terminal.enter("select 1 as short;")
        await terminal.expect("(1 row)")
        terminal.enter("select i as n from generate_series(1, 1000) i;")
        let wasPaged = await eventually {
            (try? String(contentsOfFile: file, encoding: .utf8))?.hasSuffix("1000\n(1000 rows)\n") == true
        }
        await terminal.expectPrompt()

        #expect(wasPaged)
        #expect(!terminal.visible.contains("1000 rows"))
        #expect(try await terminal.leave() == 0)
    }
}
