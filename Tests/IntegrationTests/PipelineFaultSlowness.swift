import TestSupport
import Testing

/// Commits into a table `t` that take two seconds if they bring one of some rows.
enum SlowCommits {
    static let sql = """
        create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(2); return null; end';
        create constraint trigger slow after insert on t deferrable initially deferred
          for each row when (new.id in (1, 1200, 2400, 3600)) execute function slow();
        alter table t enable always trigger slow
        """

    /// How many are under way.
    static func count(in target: CopyProgram.Side) throws -> Int {
        Int(
            try target.run(
                """
                select count(*) from pg_stat_activity
                where query = 'COMMIT' and wait_event = 'PgSleep' and datname = current_database()
                """)) ?? 0
    }
}

/// A table `t` with an index that takes more than a second to make.
enum SlowIndex {
    static let table = """
        create function slow(i int) returns int immutable language plpgsql
        as 'begin perform pg_sleep(case when i % 100 = 0 then 0.2 else 0 end); return i; end';
        create table t (id int primary key);
        create index t_slow on t (slow(id));
        insert into t select generate_series(1, 700)
        """

    static func isBeingMade(in target: CopyProgram.Side) throws -> Bool {
        try target.run(
            """
            select exists (
              select from pg_stat_activity where query like '%CREATE INDEX%' and wait_event = 'PgSleep'
              and datname = current_database() and pid <> pg_backend_pid())
            """) == "t"
    }

    static func isValid(in target: CopyProgram.Side) throws -> Bool {
        try target.run("select indisvalid from pg_index where indexrelid = 't_slow'::regclass") == "t"
    }
}
