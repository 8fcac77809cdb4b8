import Foundation
import Replication
import Synchronization
import TestSupport
import Testing

extension StreamTests {
    /// Batches that are written at the same time, over several connections.
    @Suite struct Overlaps {
        private static let tables = ["t", "mark", "hot", "log"]

        /// With the tables of a backlog, copied.
        private func harness(_ change: (inout PipelineDefinition) -> Void = { _ in }) async throws -> CopyHarness {
            let harness = try CopyHarness()
            try harness.run(fileOnSource: Backlog.make)
            try await harness.follow(change: change)
            return harness
        }

        private func expectEqual(_ harness: CopyHarness) throws {
            for table in Self.tables { try harness.expectEqual(table) }
        }

        @Test func transactionsAppearInTheirOrder() async throws {
            let harness = try await harness()
            try harness.run(fileOnSource: Backlog.transactions(20))
            let isDone = Flag()
            let reader = onItsOwnThread {
                var seen: Set<String> = []
                while !isDone.isSet { seen.insert(try harness.targetServer.run(Backlog.view, in: harness.target)) }
                return seen
            }
            let progress = StreamProgress()
            try await harness.follow(progress: progress)
            isDone.set()
            let seen = try await reader.value

            #expect(seen.allSatisfy { Set($0.split(separator: "|")).count == 1 }, "\(seen)")
            #expect(progress.state.overlaps > 0)
            #expect(progress.state.replays == 0)
            #expect(progress.state.transactions == 20)
            try expectEqual(harness)
        }

        /// Somebody has a row that the first, the second or the third of three transactions deletes, or one that all update.
        @Test(arguments: ["t where id = -1", "t where id = -2", "t where id = -3", "hot where id = 7"])
        func whatIsBlockedIsWrittenAgainAlone(row: String) async throws {
            let harness = try await harness()
            try harness.run(fileOnSource: Backlog.transactions(4))
            let progress = StreamProgress()
            // What comes before the blocked one is there, and nothing else.
            let before = row.hasPrefix("t") ? (Int(row.suffix(1)) ?? 0) - 1 : 0
            let lock = onItsOwnThread {
                try harness.targetServer.run(
                    """
                    begin; select from \(row) for update;
                    do $$ begin for i in 1..1000 loop
                      exit when (select count(*) from mark) >= \(before)
                        and exists (select from pg_locks where not granted and transactionid = pg_current_xact_id()::xid);
                      perform pg_sleep(0.05);
                    end loop; perform pg_sleep(2.5); end $$;
                    select count(*) from mark; commit
                    """, in: harness.target)
            }
            try await Task.sleep(for: .milliseconds(300))
            try await harness.follow(progress: progress)

            #expect(try await lock.value.split(separator: "\n") == ["\(before)"])
            #expect(progress.state.replays > 0)
            try expectEqual(harness)
        }

        @Test func oneConnectionWritesOneAfterTheOther() async throws {
            let one: (inout PipelineDefinition) -> Void = { $0.apply.connections = 1 }
            let harness = try await harness(one)
            try harness.run(fileOnSource: Backlog.transactions(4))
            let progress = StreamProgress()
            try await harness.follow(progress: progress, change: one)

            #expect(progress.state.overlaps == 0)
            try expectEqual(harness)
        }

        @Test func triggersThatAlwaysFireSeeOneAfterTheOther() async throws {
            let harness = try await harness()
            try harness.run(
                onTarget: """
                    create function note() returns trigger language plpgsql as $$ begin
                    insert into seen select new.number, max(number) from mark; return null; end $$;
                    create table seen (number int, highest int);
                    create trigger note after insert on mark for each row execute function note();
                    alter table mark enable always trigger note
                    """)
            try harness.run(fileOnSource: Backlog.transactions(6))
            let progress = StreamProgress()
            try await harness.follow(progress: progress)

            #expect(progress.state.overlaps == 0)
            let wrong = "select count(*) from seen where number <> highest"
            #expect(try harness.targetServer.run(wrong, in: harness.target) == "0")
            try expectEqual(harness)
        }

        @Test func randomTransactionsComeToTheSame() async throws {
            var random = SeededGenerator.noted()
            let harness = try CopyHarness()
            try harness.run(fileOnSource: RandomRows.make)
            try await harness.follow()
            let progress = StreamProgress()
            var rows = RandomRows()
            for _ in 1...4 {
                try harness.run(fileOnSource: (1...12).flatMap { _ in rows.transaction(&random) })
                try await harness.follow(progress: progress)
                for table in RandomRows.tables { try harness.expectEqual(table) }
            }
            #expect(progress.state.overlaps > 0)
        }

        /// It is killed, or one of its connections, or all of them are cut.
        @Test func whateverIsLostInTheMiddleNothingIsMissingOrTwice() async throws {
            var random = SeededGenerator.noted()
            let change = "function(row, e) if e.op ~= 'delete' then row.v = row.v .. '!' end return row end"
            let program = try StreamProgram(#"["public.t"] = \#(change), ["public.*"] = rh.copy"#)
            try program.run(onSource: Backlog.make)
            try await program.follow()
            try program.server.run(Backlog.transactions(30).map { $0 + ";\n" }.joined(), in: program.source)
            var process = try await program.started()
            var numbers = [0]
            for _ in 1...10 {
                // In the middle of those after what is there by now, if the last fault was not in the way of all.
                let last = numbers.last ?? 0
                _ = try await eventually(within: .seconds(5)) { try number(in: program) > last }
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...400, using: &random)))
                switch Int.random(in: 0...2, using: &random) {
                case 0:
                    process.signal(SIGKILL)
                    #expect(try await process.finished().status == 128 + SIGKILL)
                    process = try await program.started()
                case 1: try cut(program, "order by random() limit 1")
                default: try cut(program, "")
                }
                numbers.append(try number(in: program))
            }
            process.signal(SIGKILL)
            _ = try await process.finished()
            try await program.follow()

            print("transactions after faults: \(numbers)")
            #expect(Set(numbers).count > 2)
            #expect(try number(in: program) == 30)
            let contents = "select count(*), sum(hashtextextended(id || v, 0)) from "
            let wanted = contents + "(select id, v || '!' as v from t where id > 0) t"
            #expect(
                try program.answer(contents + "t where id > 0") == program.server.run(wanted, in: program.source))
        }

        /// How many transactions the target shows, all of them whole.
        private func number(in program: StreamProgram) throws -> Int {
            let view = try program.answer(Backlog.view).split(separator: "|")
            #expect(Set(view).count == 1, "\(view)")
            return Int(view[0]) ?? -1
        }

        /// Ends sessions that are in the middle of a transaction of the target.
        private func cut(_ program: StreamProgram, _ which: String) throws {
            _ = try program.answer(
                """
                select pg_terminate_backend(pid) from (
                  select pid from pg_stat_activity where datname = current_database() and backend_xid is not null
                    and pid <> pg_backend_pid() \(which)) s
                """)
        }
    }
}

/// Transactions of more rows than a batch has.
private enum Backlog {
    private static let size = 10_100

    static let make = [
        "create table t (id bigint primary key, v text)", "create table mark (number int primary key)",
        "create table hot (id int primary key, n int)", "insert into hot select i, 0 from generate_series(1, 30) i",
        "create table log (v int)", "insert into t select -i, 'v' from generate_series(1, 100) i",
    ]

    /// Each has rows of its own, and some that all of them change.
    static func transactions(_ count: Int) -> [String] {
        (1...count).flatMap { number in
            [
                "begin", "insert into mark values (\(number))", "update hot set n = n + 1",
                "insert into log values (1)",
                """
                insert into t select i, 'v' || i
                from generate_series(\(number * size), \((number + 1) * size - 1)) i
                """, "delete from t where id = -\(number) or id % 1000 = 0 and id >= \(number * size)", "commit",
            ]
        }
    }

    /// How many of them there are in the target: the same number six times.
    static let view = """
        select count(*), coalesce(max(number), 0), (select max(n) from hot), (select min(n) from hot),
          (select count(distinct id / \(size)) from t where id > 0), (select count(*) from log) from mark
        """
}

/// Tables of many kinds, and changes of ranges of their rows, which meet those of other transactions now and then.
private struct RandomRows {
    static let tables = ["plain", "other", "word", "number", "two", "part", "loose"]

    static let make = [
        "create table plain (id bigint primary key, v text, n int)",
        "create table other (id int primary key, place int unique, n int)",
        "create table word (w text primary key, n int)", "create table number (k numeric primary key, n int)",
        "create table two (a int, b text, n int, primary key (a, b))",
        "create table part (id int primary key, n int) partition by range (id)",
        "create table part_low partition of part for values from (minvalue) to (5000)",
        "create table part_high partition of part for values from (5000) to (maxvalue)", "create table loose (v int)",
    ]

    private var count = 0

    mutating func transaction(_ random: inout SeededGenerator) -> [String] {
        var statements = ["begin"]
        for _ in 0..<Int.random(in: 2...6, using: &random) { statements.append(statement(&random)) }
        return statements + ["commit"]
    }

    private mutating func statement(_ random: inout SeededGenerator) -> String {
        count += 1
        let low = Int.random(in: 1...40_000, using: &random)
        let high = low + Int.random(in: 1...4000, using: &random)
        let rows = "generate_series(\(low), \(high)) i"
        let column = ["plain": "id", "other": "id", "word": "w::int", "number": "k", "two": "a", "part": "id"]
        let table = Self.tables.randomElement(using: &random) ?? "plain"
        guard let key = column[table] else { return "insert into loose select i from \(rows)" }
        switch Int.random(in: 0..<8, using: &random) {
        case 0..<4:
            let values =
                switch table {
                case "plain": "i, 'v' || i, \(count)"
                case "other": "i, i + \(count) * 100000, \(count)"
                case "two": "i, 'b' || i % 7, \(count)"
                default: "i, \(count)"
                }
            return "insert into \(table) select \(values) from \(rows) on conflict do nothing"
        case 4: return "delete from \(table) where \(key) between \(low) and \(high)"
        case 5 where table == "plain":
            return "update plain set id = id + \(count) * 1000000 where id between \(low) and \(high)"
        // Rows that have got a new key.
        case 6 where table == "plain": return "update plain set n = n + 1 where id > 1000000 and id % 3 = \(count % 3)"
        case 5 where table == "other":
            // Places move from row to row.
            return "update other set place = -place where id between \(low) and \(high)"
        default: return "update \(table) set n = n + 1 where \(key) between \(low) and \(high)"
        }
    }
}

private final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}
