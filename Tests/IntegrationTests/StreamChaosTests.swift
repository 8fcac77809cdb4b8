import Foundation
import Sandbox
import TestSupport
import Testing

/// Changes followed by the built program, while it and all that it needs is killed.
@Suite(.onServer) struct StreamChaosTests {
    private enum Fault: CaseIterable {
        case kill, targetLost, sourceLost, cut, frozen
    }

    @Test func everyChangeArrivesOnceWhateverIsLost() async throws {
        try await survive(faults: 10)
    }

    @Test(.slow) func everyChangeArrivesOnceAfterSixtyFaults() async throws {
        try await survive(faults: 60)
    }

    private func survive(faults: Int) async throws {
        var random = SeededGenerator.noted()
        let (source, target) = (try CopyProgram.Side(.start()), try CopyProgram.Side(.start()))
        let proxies = [try FaultProxy(to: source.server.endpoint), try FaultProxy(to: target.server.endpoint)]
        let program = try CopyProgram(
            """
            stream = true, tables = { ["public.*"] = rh.copy },
            snapshot = { workers = 2, chunk_rows = 2000 }, throttle = { rows_per_second = 40000 }
            """, source: source, target: target,
            sourceAddress: proxies[0].conninfo(database: source.database),
            targetAddress: proxies[1].conninfo(database: target.database))
        try ChaosLoad.prepare(source)
        try target.run(ChaosLoad.journal, ChaosLoad.counter)
        let load = ChaosLoad(on: source, random)
        var process = try program.start()
        for number in 0..<faults {
            try await Task.sleep(for: random.duration(200...1500))
            let fault = Fault.allCases.randomElement(using: &random) ?? .kill
            // The first copy is killed for certain, and resumed under what comes next.
            try await perform(number == 0 ? .kill : fault, program, &process, proxies, &random)
            if number == 2 { try await untilCopied(program, process) }
        }
        await load.end()
        process.signal(SIGKILL)
        _ = try await process.finished()
        let last = try await ConsoleProcess.run("run", "--once", program.path)
        let verified = try await ConsoleProcess.run("verify", program.path)

        let written = try program.source.run("select count(*) - 2000 from journal")
        let transfers = try program.source.run("select count(*) from pgbench_history")
        print("\(faults) faults; meanwhile \(written) rows of the journal, \(transfers) transactions of pgbench")
        #expect(Int(transfers) ?? 0 > 10 * faults)
        #expect(Int(written) ?? 0 > 2 * faults)
        #expect(last.status == 0, "\(last.errors)")
        #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
        for table in ChaosLoad.tables { try program.expectEqual(table) }
        #expect(try target.run(ChaosLoad.balanced) == "t")
        try program.expectEqual("select id, 1 from journal", inTarget: "select id, times from audit.applied")
        try source.server.remove()
        try target.server.remove()
    }

    private func untilCopied(_ program: CopyProgram, _ process: ConsoleProcess) async throws {
        let isStreaming = "select count(*) from replhost.pipeline where state = 'streaming'"
        let found = try await eventually(within: .seconds(90)) { try program.target.run(isStreaming) == "1" }
        try #require(found, "\(process.errors)")
    }

    private func perform(
        _ fault: Fault, _ program: CopyProgram, _ process: inout ConsoleProcess, _ proxies: [FaultProxy],
        _ random: inout SeededGenerator
    ) async throws {
        let proxy = proxies[Int.random(in: 0...1, using: &random)]
        switch fault {
        case .kill:
            process.signal(SIGKILL)
            let result = try await process.finished()
            #expect(result.status == 128 + SIGKILL, "\(result.errors)")
            process = try program.start()
        case .targetLost: try program.target.server.restart(.immediate)
        case .sourceLost: try program.source.server.restart(.immediate)
        case .cut: proxy.cut()
        case .frozen:
            proxy.setAll(.init(mode: .freeze))
            try await Task.sleep(for: random.duration(100...800))
            proxy.setAll(.init())
        }
    }
}
