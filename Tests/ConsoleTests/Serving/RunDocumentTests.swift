import PostgresProtocol
import Testing

@testable import Console
@testable import Scripting

@Suite struct RunDocumentTests {
    @Test func readsWhatARunWrites() throws {
        let document = try #require(RunDocument(RunFiguresFixture.figures().json))

        #expect(document.pid == 4711)
        #expect(document.script == "/home/ann/shop.lua")
        #expect(document.cpuSeconds == 5)
        let pipeline = try #require(document.pipelines.first)
        #expect(pipeline.stream?.lagSeconds == 1.5)
        #expect(pipeline.stream?.walBudgetBytes == 1 << 30)
        #expect(pipeline.lastError?.message == "gone")
        #expect(pipeline.tables.first?.function == .init(rows: 1000, seconds: 0.2))
        #expect(document.pools.first?.wait.p99 == 0.02)
        #expect(document.workers.first?.tasks.first?.origin == "shop.lua:12")
        #expect(document.log.first?.message == "a \"quoted\"\nwarning")
    }

    @Test func whatIsNotKnownIsNil() throws {
        var figures = RunFiguresFixture.figures()
        figures.script = nil
        figures.pipelines[0].stream = nil
        figures.pipelines[0].lastFailure = nil
        figures.pipelines[0].tables[0].function = nil

        let document = try #require(RunDocument(figures.json))

        #expect(document.script == nil)
        #expect(document.pipelines[0].stream == nil)
        #expect(document.pipelines[0].lastError == nil)
        #expect(document.pipelines[0].tables[0].function == nil)
    }

    @Test(arguments: ["", "{}", "[1]", "{\"pid\": \"x\"}"]) func otherTextIsNone(text: String) {
        #expect(RunDocument(text) == nil)
    }
}
