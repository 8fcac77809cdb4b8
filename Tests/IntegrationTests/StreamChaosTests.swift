import Foundation
import Sandbox
import Synchronization
import TestSupport
import Testing

/// Changes followed by the built program, while it and all that it needs is killed.
@Suite(.onServer) struct StreamChaosTests {
    private enum Fault: CaseIterable {
        case kill, targetLost, sourceLost, cut, frozen
    }

    @Test func everyChangeArrivesOnceWhateverIsLost() async throws {
        try await survive(faults: 12)
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
            snapshot = { workers = 2, chunk_rows = 500 }, throttle = { rows_per_second = 3000 }
            """, source: source, target: target,
            sourceAddress: proxies[0].conninfo(database: source.database),
            targetAddress: proxies[1].conninfo(database: target.database))
        try source.run(ChaosLoad.tables, ChaosLoad.journal, ChaosLoad.rows, "analyze")
        try target.run(ChaosLoad.journal, ChaosLoad.counter)
        let load = ChaosLoad(on: source, random)
        var process = try program.start()
        for number in 0..<faults {
            try await Task.sleep(for: random.duration(200...1500))
            let fault = Fault.allCases.randomElement(using: &random) ?? .kill
            // The first copy is killed for certain.
            try await perform(number == 0 ? .kill : fault, program, &process, proxies, &random)
            if number == 0 { try await untilCopied(program, process, load) }
        }
        await load.end()
        process.signal(SIGKILL)
        _ = try await process.finished()
        let last = try await ConsoleProcess.run("run", "--once", program.path)
        let verified = try await ConsoleProcess.run("verify", program.path)

        let written = try program.source.run("select count(*) - 2000 from journal")
        print("\(faults) faults, \(written) rows of the journal written meanwhile")
        #expect(Int(written) ?? 0 > 10 * faults)
        #expect(last.status == 0, "\(last.errors)")
        #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
        try program.expectEqual("account", "slot", "journal", "large")
        try program.expectEqual("select id, 1 from journal", inTarget: "select id, times from audit.applied")
        try source.server.remove()
        try target.server.remove()
    }

    /// A table that is truncated after the snapshot, and before it is read, reads as empty under it (TRUNCATE is not
    /// safe for MVCC): tables are truncated from here on only.
    private func untilCopied(
        _ program: CopyProgram, _ process: ConsoleProcess, _ load: ChaosLoad
    ) async throws {
        let isStreaming = "select count(*) from replhost.pipeline where state = 'streaming'"
        let found = try await eventually(within: .seconds(20)) { try program.target.run(isStreaming) == "1" }
        try #require(found, "\(process.errors)")
        load.mayTruncate()
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

/// Transactions of every kind, one after the other, until it is ended.
private struct ChaosLoad {
    static let tables = """
        create table account (id int primary key, balance int not null, name text unique);
        create table slot (id int primary key, place int unique);
        create table large (id int primary key, v text, n int)
        """

    static let journal = "create table journal (id bigserial primary key, v text)"

    static let rows = """
        insert into account select i, 0, 'name ' || i from generate_series(1, 2000) i;
        insert into slot select i, i from generate_series(1, 100) i;
        insert into journal (v) select 'copied' from generate_series(1, 2000);
        insert into large select i, (select string_agg(md5(random()::text), '') from generate_series(1, 150 + i % 2)), 0
        from generate_series(1, 50) i
        """

    /// Counts how often each row of the journal is written in the target.
    static let counter = """
        create schema audit; create table audit.applied (id bigint primary key, times int);
        create function audit.count() returns trigger language plpgsql as $$ begin
        insert into audit.applied values (new.id, 1) on conflict (id) do update set times = applied.times + 1;
        return null; end $$;
        create trigger applied after insert on journal for each row execute function audit.count();
        alter table journal enable always trigger applied
        """

    private final class Flag: Sendable {
        let isEnding = Atomic(false)
        let truncates = Atomic(false)
    }

    private let flag = Flag()
    private let writer: Task<Void, any Error>

    init(on side: CopyProgram.Side, _ generator: SeededGenerator) {
        writer = onItsOwnThread { [flag] in
            var random = generator
            while !flag.isEnding.load(ordering: .relaxed) {
                // The source may be down.
                _ = try? side.server.run(
                    Self.transaction(&random, truncates: flag.truncates.load(ordering: .relaxed)), in: side.conninfo)
                usleep(10_000)
            }
        }
    }

    func mayTruncate() {
        flag.truncates.store(true, ordering: .relaxed)
    }

    func end() async {
        flag.isEnding.store(true, ordering: .relaxed)
        _ = await writer.result
    }

    private static func transaction(_ random: inout SeededGenerator, truncates: Bool) -> String {
        let (id, other) = (Int.random(in: 1...2000, using: &random), Int.random(in: 2...100, using: &random))
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<8:
            return """
                begin; update account set balance = balance + \(other) where id = \(id);
                insert into journal (v) values ('\(id)'), ('\(other)'); commit
                """
        case 8..<11:
            return """
                begin; update slot set place = -place where id in (1, \(other));
                update slot s set place = -o.place from slot o
                where s.id in (1, \(other)) and o.id in (1, \(other)) and s.id <> o.id; commit
                """
        case 11..<14: return "update account set id = id + 100000 where id = \(id)"
        case 14..<16: return "delete from account where id % 500 = \(other)"
        case 16..<18: return "update large set n = n + 1 where id <= \(other)"
        case 18,
            19 where !truncates:
            return "update large set v = v || 'x' where id = \(other)"
        default: return "begin; truncate slot; insert into slot select i, i from generate_series(1, 100) i; commit"
        }
    }
}
