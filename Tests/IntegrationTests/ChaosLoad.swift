import Foundation
import Sandbox
import Synchronization
import TestSupport

/// What is done to a source while everything around it breaks: pgbench's TPC-B, and beside it transactions of every
/// kind.
struct ChaosLoad {
    /// Ten tables; with pgbench's, fourteen.
    static let tables = [
        "account", "slot", "large", "journal", "parent", "child", "pair", "loose", "part", "bulk", "pgbench_accounts",
        "pgbench_branches", "pgbench_tellers", "pgbench_history",
    ]

    static let journal = "create table journal (id bigserial primary key, v text)"

    private static let schema = """
        create table account (id int primary key, balance int not null, name text unique);
        create table slot (id int primary key, place int unique);
        create table large (id int primary key, v text, n int);
        create table parent (id int primary key, v text);
        create table child (id bigserial primary key,
          parent int not null references parent on update cascade on delete cascade, v text);
        create table pair (a int, b text, v int, primary key (a, b));
        create table loose (a int, b text, c numeric); alter table loose replica identity full;
        create table part (id int, v text, primary key (id)) partition by range (id);
        create table part_low partition of part for values from (minvalue) to (50);
        create table part_high partition of part for values from (50) to (maxvalue);
        create table bulk (id bigserial primary key, n int)
        """

    private static let rows = """
        insert into account select i, 0, 'name ' || i from generate_series(1, 2000) i;
        insert into slot select i, i from generate_series(1, 100) i;
        insert into journal (v) select 'copied' from generate_series(1, 2000);
        insert into large select i, (select string_agg(md5(random()::text), '') from generate_series(1, 150 + i % 2)), 0
        from generate_series(1, 50) i;
        insert into parent select i, 'p' from generate_series(1, 100) i;
        insert into child (parent, v) select i % 100 + 1, 'c' from generate_series(1, 500) i;
        insert into loose select i % 50, nullif('b' || i % 3, 'b0'), 1.50 from generate_series(1, 300) i;
        insert into part select i, 'p' from generate_series(1, 100) i;
        insert into bulk (n) select 0 from generate_series(1, 1000)
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

    /// The balances of TPC-B agree with its history.
    static let balanced = """
        select (select sum(abalance) from pgbench_accounts) = s and (select sum(tbalance) from pgbench_tellers) = s
          and (select sum(bbalance) from pgbench_branches) = s
        from (select coalesce(sum(delta), 0) s from pgbench_history) h
        """

    private let isEnding: Flag
    private let writers: [Task<Void, any Error>]

    private final class Flag: Sendable {
        let isSet = Atomic(false)
    }

    static func prepare(_ side: CopyProgram.Side) throws {
        try side.run(schema, journal, rows)
        try pgbench(side, "-i", "-q")
        try side.run("analyze")
    }

    init(on side: CopyProgram.Side, _ generator: SeededGenerator) {
        let flag = Flag()
        isEnding = flag
        // Two at once: their transactions overlap.
        let mixed = [generator, SeededGenerator(seed: ~generator.seed)].map { generator in
            onItsOwnThread {
                var random = generator
                while !flag.isSet.load(ordering: .relaxed) {
                    // The source may be down, or two have waited for each other.
                    _ = try? side.server.run(Self.transaction(&random), in: side.conninfo)
                    usleep(10_000)
                }
            }
        }
        let banks = onItsOwnThread {
            while !flag.isSet.load(ordering: .relaxed) {
                // It ends when the source is lost.
                try? Self.pgbench(
                    side, "-n", "-c", "2", "-R", "100", "-T", "2", "--random-seed=\(generator.seed >> 33)")
                usleep(100_000)
            }
        }
        writers = mixed + [banks]
    }

    func end() async {
        isEnding.isSet.store(true, ordering: .relaxed)
        for writer in writers { _ = await writer.result }
    }

    private static func pgbench(_ side: CopyProgram.Side, _ arguments: String...) throws {
        let cluster = side.server.cluster
        let place = ["-h", cluster.socketDirectory, "-p", "\(cluster.port)", "-U", Cluster.superuser, side.database]
        try Command([cluster.binaries.path("pgbench")] + arguments + place, as: cluster.account).runChecked()
    }
}

// MARK: - Transactions

extension ChaosLoad {
    private static func transaction(_ random: inout SeededGenerator) -> String {
        let (id, other) = (Int.random(in: 1...2000, using: &random), Int.random(in: 2...100, using: &random))
        switch Int.random(in: 0..<24, using: &random) {
        case 0..<5: return transfer(id, other)
        case 5..<8: return swap(other)
        case 8..<11: return account(id, other)
        case 11..<14: return large(id, other)
        case 14..<16: return family(id, other)
        case 16..<18: return pair(id, other)
        case 18..<20: return loose(id, other)
        case 20..<22: return part(id, other)
        case 22: return bulk(id, other)
        default: return truncate(id)
        }
    }

    private static func transfer(_ id: Int, _ other: Int) -> String {
        """
        begin; update account set balance = balance + \(other) where id = \(id); savepoint s;
        insert into journal (v) values ('never'); rollback to s;
        insert into journal (v) values ('\(id)'), ('\(other)'); \(id % 10 == 0 ? "rollback" : "commit")
        """
    }

    /// Two rows of a unique column change places: a set-wise update finds the key taken.
    private static func swap(_ other: Int) -> String {
        """
        begin; update slot set place = -place where id in (1, \(other));
        update slot s set place = -o.place from slot o
        where s.id in (1, \(other)) and o.id in (1, \(other)) and s.id <> o.id; commit
        """
    }

    private static func account(_ id: Int, _ other: Int) -> String {
        switch id % 3 {
        case 0: "update account set id = id + 100000 where id = \(id)"
        case 1: "delete from account where id % 500 = \(other)"
        default: "insert into account values (\(id), \(other), 'name ' || \(id)) on conflict do nothing"
        }
    }

    /// With values out of line that the update does not send, or does, and under another key.
    private static func large(_ id: Int, _ other: Int) -> String {
        switch id % 4 {
        case 0: "update large set n = n + 1 where id <= \(other)"
        case 1: "update large set v = v || 'x' where id = \(other)"
        case 2: "begin; update large set id = -id where id = \(other); update large set n = n + 1 where id < 0; commit"
        default: "update large set id = -id, n = n + 1 where id < 0 and -id <> \(other)"
        }
    }

    private static func family(_ id: Int, _ other: Int) -> String {
        switch id % 4 {
        case 0: "delete from parent where id = \(other)"
        case 1: "update parent set id = id + 1000 where id = \(other)"
        default:
            """
            begin; insert into parent values (\(other), '\(id)') on conflict (id) do update set v = excluded.v;
            insert into child (parent, v) select \(other), 'c' || i from generate_series(1, 3) i; commit
            """
        }
    }

    private static func pair(_ id: Int, _ other: Int) -> String {
        switch id % 3 {
        case 0: "update pair set b = b || 'x', v = v + 1 where a = \(other % 10) and length(b) < 9"
        case 1: "delete from pair where a = \(other % 10) and v % 2 = 0"
        default:
            """
            insert into pair select \(other % 10), chr(97 + i), i from generate_series(0, 7) i
            on conflict (a, b) do update set v = pair.v + 1
            """
        }
    }

    /// Rows that nothing tells apart, with NULL in them.
    private static func loose(_ id: Int, _ other: Int) -> String {
        let one = "ctid = (select ctid from loose where a = \(other % 50) limit 1)"
        return switch id % 3 {
        case 0: "update loose set c = c + 1 where \(one)"
        case 1: "delete from loose where \(one)"
        default: "insert into loose values (\(other % 50), null, 1.50), (\(other % 50), null, 1.50), (null, null, null)"
        }
    }

    /// Rows that move from partition to partition.
    private static func part(_ id: Int, _ other: Int) -> String {
        switch id % 3 {
        case 0:
            "update part set id = 100 - id where id = \(other) and not exists (select from part where id = 100 - \(other))"
        case 1: "delete from part where id = \(other)"
        default: "insert into part values (\(other), '\(id)') on conflict (id) do update set v = excluded.v"
        }
    }

    /// More changes than most groups have.
    private static func bulk(_ id: Int, _ other: Int) -> String {
        """
        begin; insert into bulk (n) select \(id) from generate_series(1, 3000);
        update bulk set n = n + 1 where id % 7 = \(other % 7); delete from bulk where id % 3 = \(other % 3); commit
        """
    }

    private static func truncate(_ id: Int) -> String {
        switch id % 6 {
        case 0: "begin; truncate slot; insert into slot select i, i from generate_series(1, 100) i; commit"
        case 1:
            "begin; truncate parent cascade; insert into parent select i, 'new' from generate_series(1, 50) i; commit"
        case 2: "truncate bulk restart identity"
        case 3: "begin; insert into pair values (0, 'z', 1) on conflict do nothing; truncate pair, loose; commit"
        case 4: "begin; truncate part; insert into part values (1, 'new'), (99, 'new'); commit"
        default:
            "begin; truncate account; insert into account select i, 0, 'new ' || i from generate_series(1, 500) i; commit"
        }
    }
}
