import Foundation
import TestSupport
import Testing

/// The page of a run, in a browser.
@Suite(.onServer) struct StatusPageTests {
    private static let hostileName = "<img src=x onerror=\"document.title='run by a name'\">"

    /// A pipeline, and the program that shows it.
    private struct Run {
        let server: TestServer
        let source: String
        let path: String
        let runtime: [String: String]
        let options: [String]
        var process: ConsoleProcess
        var address = ""

        /// - Parameter options: of `run`.
        init(_ options: String...) async throws {
            server = try TestServer.shared()
            source = try server.makeDatabase()
            let target = try server.makeDatabase()
            path = try ConsoleProcess.makeFile(
                "shop.lua",
                """
                local rh = require "replhost"
                return rh.pipeline "shop" { heartbeat = 1,
                  source = rh.pool { dsn = "\(source)" }, sink = rh.pool { dsn = "\(target)" },
                  tables = { ["public.*"] = rh.copy,
                    ["public.customers"] = { on_error = "dead_letter", transform = function(row)
                      if row.v == "bad" then error("bad") end
                      return row
                    end } } }
                """)
            let hostile = hostileName.replacing("\"", with: "\"\"")
            try server.run(
                """
                create table customers (id int primary key, v text);
                insert into customers select i from generate_series(1, 300) i;
                create table "\(hostile)" (id int primary key)
                """, in: source)
            runtime = ["XDG_RUNTIME_DIR": try TestWorkspace.shared().makeDirectory("runtime")]
            self.options = options
            process = try ConsoleProcess(
                ["run", "--listen", "127.0.0.1:0"] + options + [path], environment: runtime)
            address = try await shownAddress()
        }

        private func shownAddress() async throws -> String {
            let pattern = /listening on (http:\/\/[0-9.:]+\/)/
            let isThere = await eventually(within: .seconds(30)) { process.errors.contains(pattern) }
            try #require(isThere, "\(process.errors)")
            return try String(#require(process.errors.firstMatch(of: pattern)).1)
        }

        /// Changes the first rows of the customers.
        func change(_ rows: Int) throws {
            try server.run("update customers set v = clock_timestamp()::text where id <= \(rows)", in: source)
        }

        func stop() async throws {
            process.signal(SIGTERM)
            _ = try await process.finished()
        }

        mutating func restart() throws {
            let place = String(address.dropFirst("http://".count).dropLast())
            process = try ConsoleProcess(["run", "--listen", place] + options + [path], environment: runtime)
        }
    }

    private static let isStreaming = "document.querySelector('#state').innerText == 'streaming'"
    /// The other table's name is sorted before it.
    private static let customers = "#tables tbody tr:nth-child(2)"
    private static let changes = "#pipelines td[data-label=Changes]"

    @Test func drawsWhatTheRunDoes() async throws {
        let run = try await Run()
        let page = try await BrowserPage(run.address)
        try #require(try await page.holds(Self.isStreaming))
        try run.change(200)

        #expect(try await page.holds("document.querySelector('\(Self.changes)')?.innerText == '200'"))
        #expect(try await page.text("h1") == "shop.lua")
        #expect(try await page.value("document.querySelectorAll('#tables tbody tr').length") == "2")
        #expect(try await page.text("\(Self.customers) th") == "public.customers")
        #expect(
            try await page.holds(
                "document.querySelector('\(Self.customers) td[data-label=Updated]').innerText == '200'"))
        #expect(try await page.number("\(Self.customers) td[data-label=Rows]") == 300)
        #expect(try await page.value("document.querySelectorAll('#pools tbody tr').length") == "2")
        let points = "document.querySelector('.chart polyline.s0')?.getAttribute('points').split(' ').length >= 3"
        #expect(try await page.holds(points))
        #expect(try await page.value("Math.max(...run.samples.map(sample => sample.changes)) > 0") == "true")
        #expect(page.complaints == [])
        try await run.stop()
    }

    @Test func goesOnByItself() async throws {
        let run = try await Run()
        let page = try await BrowserPage(run.address)
        try #require(try await page.holds(Self.isStreaming))
        try run.change(10)
        try #require(try await page.holds("document.querySelector('\(Self.changes)')?.innerText == '10'"))
        let points = "document.querySelector('.chart polyline.s0').getAttribute('points').split(' ').length"
        let before = try #require(Int(try await page.value(points)))

        try run.change(25)
        try run.server.run("insert into customers values (1000, 'bad')", in: run.source)

        #expect(try await page.holds("document.querySelector('\(Self.changes)').innerText == '36'"))
        #expect(try await page.holds("\(points) > \(before)"))
        #expect(
            try await page.holds(
                "document.querySelector('\(Self.customers) td[data-label=\"Dead letters\"]').innerText == '1'"))
        #expect(try await page.value("document.title").hasSuffix("changes/s · shop.lua"))
        try await run.stop()
    }

    @Test func outlivesTheServer() async throws {
        var run = try await Run()
        let page = try await BrowserPage(run.address)
        try #require(try await page.holds(Self.isStreaming))
        try run.change(50)
        try #require(try await page.holds("document.querySelector('\(Self.changes)')?.innerText == '50'"))
        let first = try await page.text("#process")

        try await run.stop()
        #expect(try await page.holds("document.querySelector('#state').innerText == 'no connection'"))
        #expect(try await page.text("#lost").hasPrefix("No connection since "))
        #expect(try await page.text(Self.changes) == "50")
        try run.restart()

        #expect(try await page.holds(Self.isStreaming))
        #expect(try await page.text("#lost") == "")
        #expect(try await page.text("#process") != first)
        try run.change(7)
        #expect(try await page.holds("document.querySelector('\(Self.changes)').innerText == '7'"))
        #expect(try await page.value("document.querySelectorAll('.chart:first-child .restart').length") == "1")
        #expect(try await page.value("document.querySelectorAll('.chart:first-child .outage').length") == "1")
        // What fell was no change, and nothing was drawn for it.
        #expect(try await page.value("run.samples.every(sample => !(sample.changes < 0))") == "true")
        #expect(page.complaints == [])
        try await run.stop()
    }

    @Test func asksForATokenThatHasChanged() async throws {
        let file = try ConsoleProcess.makeFile("token", "first")
        chmod(file, 0o600)
        var run = try await Run("--token-file", file)
        let page = try await BrowserPage(run.address.replacing("//", with: "//user:first@"))
        try #require(try await page.holds(Self.isStreaming))
        #expect(try await page.text("#token") == "")

        try await run.stop()
        try "second".write(toFile: file, atomically: false, encoding: .utf8)
        try run.restart()
        try #require(try await page.holds("document.querySelector('#token').checkVisibility()"))
        _ = try await page.value(
            "(box => { box.value = 'second'; box.form.requestSubmit() })(document.querySelector('#secret'))")

        #expect(try await page.holds(Self.isStreaming))
        #expect(try await page.text("#token") == "")
        #expect(try await page.value("location.href.includes('second')") == "false")
        try await run.stop()
    }

    @Test func namesAreText() async throws {
        let run = try await Run()
        let page = try await BrowserPage(run.address)
        try #require(try await page.holds(Self.isStreaming))

        let names = try await page.value(
            "[...document.querySelectorAll('#tables tbody th')].map(e => e.innerText).join('|')")
        #expect(names.contains("<img src=x onerror="))
        #expect(try await page.value("document.querySelectorAll('img').length") == "0")
        #expect(try await page.value("document.title").contains("shop.lua"))
        #expect(page.complaints == [])
        try await run.stop()
    }

    @Test func fitsIntoWindowsOfAllWidths() async throws {
        let run = try await Run()
        let page = try await BrowserPage(run.address, isDark: true)
        try #require(try await page.holds(Self.isStreaming))
        try #require(try await page.holds("document.querySelector('.chart polyline.s0') != null"))

        for width in [360, 768, 1280] {
            try await page.resize(to: width)
            #expect(try await page.holds("document.documentElement.scrollWidth <= \(width)"), "\(width)")
            // Nothing but what scrolls by itself reaches out of the window.
            let outside = """
                [...document.querySelectorAll('main *, header *')].filter(e => e.checkVisibility() && !e.closest('.unseen')
                  && !e.closest('.wide[tabindex]') && e.getBoundingClientRect().right > \(width) + 1).map(e => e.outerHTML)
                """
            let fits = try await page.holds("(\(outside)).length == 0")
            let found = try await page.value(outside)
            #expect(fits, "\(width): \(found)")
        }
        let ground = "getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).every(part => part < 60)"
        #expect(try await page.value(ground) == "true")
        try await run.stop()
    }

    @Test func servesTheKeyboard() async throws {
        let run = try await Run()
        let page = try await BrowserPage(run.address)
        try #require(try await page.holds(Self.isStreaming))

        try await page.press("Tab", code: 9)
        #expect(try await page.value("document.activeElement.innerText") == "Skip to the tables")
        _ = try await page.value("document.querySelector('.plot').focus()")
        try #require(try await page.holds("run.samples.length > 2"))
        try await page.press("ArrowLeft", code: 37)
        #expect(try await page.text(".chart .reading").contains("Changes applied"))
        _ = try await page.value("document.querySelector('#tables thead button').focus()")
        for order in ["ascending", "descending"] {
            _ = try await page.value("document.activeElement.click()")
            #expect(try await page.value("document.querySelector('#tables th').getAttribute('aria-sort')") == order)
        }
        #expect(try await page.text("#tables tbody tr:nth-child(1) th").contains("customers"))
        try await run.stop()
    }

    @Test func manyTablesAreCutToTheBusiest() async throws {
        let run = try await Run()
        let page = try await BrowserPage(run.address)
        try #require(try await page.holds(Self.isStreaming))

        _ = try await page.value(
            """
            (real => { globalThis.fetch = async (...asked) => {
              const figures = await (await real(...asked)).json(), [pipeline] = figures.pipelines, [table] = pipeline.tables;
              pipeline.tables = Array.from({ length: 10000 }, (_, index) => ({ ...table, source: "many.t" + index,
                inserted: index == 7777 ? Math.round(figures.uptime_seconds * 1000) : 0 }));
              return new Response(JSON.stringify(figures));
            } })(fetch)
            """)

        let busiest = "document.querySelector('#tables tbody th').innerText.startsWith('many.t7777')"
        #expect(try await page.holds(busiest))
        #expect(try await page.value("document.querySelectorAll('#tables tbody tr').length") == "100")
        #expect(try await page.text("#shown") == "10,000 tables, the busiest 100 are shown")
        _ = try await page.value(
            "(box => { box.value = 'T123 copied'; box.dispatchEvent(new Event('input')) })(document.querySelector('#filter'))"
        )
        #expect(try await page.text("#shown") == "11 of 10,000 tables")
        #expect(page.complaints == [])
        try await run.stop()
    }
}
