import Foundation
import Sandbox
import TestSupport
import Testing

/// Errors that a person has to mend: said clearly, and the same command goes on afterwards.
@Suite(.onServer) struct PipelineFaultErrorTests {
    /// What is wrong, what is said of it, and what mends it.
    struct Fault: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var target: String
        var message: [String]
        var mending: String
    }

    private let rows = """
        create table t (id int primary key, v text, n int);
        insert into t select i, 'value ' || i % 3000, nullif(i, 2500) from generate_series(1, 4000) i;
        create table other (id int primary key);
        insert into other select i from generate_series(1, 1000) i;
        analyze
        """

    private static let other = "; create table other (id int primary key)"

    private static let faults = [
        Fault(
            testDescription: "wrong type", target: "create table t (id int primary key, v int, n int)" + other,
            message: ["writing public.t: ", "invalid input syntax for type integer", "22P02"],
            mending: "alter table t alter v type text"),
        Fault(
            testDescription: "unique violation",
            target: "create table t (id int primary key, v text unique, n int)" + other,
            message: ["writing public.t: ", "duplicate key value violates unique constraint \"t_v_key\"", "23505"],
            mending: "alter table t drop constraint t_v_key"),
        Fault(
            testDescription: "missing column", target: "create table t (id int primary key, v text)" + other,
            message: ["RH3304", "column \"n\" of public.t has no place in public.t of the target"],
            mending: "alter table t add n int"),
        Fault(
            testDescription: "not null", target: "create table t (id int primary key, v text, n int not null)" + other,
            message: ["writing public.t: ", "null value in column \"n\" of relation \"t\"", "23502"],
            mending: "alter table t alter n drop not null"),
        Fault(
            testDescription: "rows are there",
            target: "create table t (id int primary key, v text, n int); insert into t values (1)" + other,
            message: ["RH3309", "public.t in the target is not empty"], mending: "truncate t"),
        Fault(
            testDescription: "check constraint",
            target: "create table t (id int primary key check (id < 4000), v text, n int)" + other,
            message: ["writing public.t: ", "violates check constraint \"t_id_check\"", "23514"],
            mending: "alter table t drop constraint t_id_check"),
    ]

    @Test(arguments: faults) func goesOnWhenTheTargetIsMended(_ fault: Fault) async throws {
        let program = try CopyProgram(
            "tables = { [\"public.*\"] = rh.copy }, snapshot = { workers = 2, chunk_rows = 500 }")
        try program.source.run(rows)
        try program.target.run(fault.target)
        let failed = try await program.start().finished()
        try program.target.run(fault.mending)
        try await program.finish()

        expect(failed, fault.message + ["target"])
        try program.expectEqual("t", "other")
    }

    /// As a role of one's own that misses a right.
    @Test(arguments: [
        (
            true, "grant select on other to ROLE",
            ["source", "reading public.t", "permission denied for table t", "42501"],
            "grant select on t to ROLE"
        ),
        (
            true, "grant select on all tables in schema public to ROLE; alter table t enable row level security",
            ["source", "reading public.t", "row-level security policy for table \"t\"", "42501"],
            "alter table t disable row level security"
        ),
        (
            false, "grant create on schema public to ROLE",
            ["target", "ledger", "permission denied for database", "42501"], "grant create on database DATABASE to ROLE"
        ),
        (
            false, "grant create on database DATABASE to ROLE; revoke create on schema public from public",
            ["target", "making table public.", "permission denied for schema public", "42501"],
            "grant create on schema public to ROLE"
        ),
        (
            false,
            """
            grant create on database DATABASE to ROLE; create table other (id int primary key);
            create table t (id int primary key, v text, n int); grant select on other, t to ROLE;
            grant insert on other to ROLE
            """, ["target", "writing public.t", "permission denied for table t", "42501"], "grant insert on t to ROLE"
        ),
        (
            false,
            """
            grant create on database DATABASE to ROLE; create table other (id int primary key);
            create table t (id int primary key, v text, n int); grant select, insert on other, t to ROLE;
            alter table t enable row level security
            """, ["target", "writing public.t", "COPY FROM not supported with row-level security", "0A000"],
            "alter table t disable row level security"
        ),
    ])
    func goesOnWhenTheRightIsGiven(
        _ isSource: Bool, _ preparation: String, _ message: [String], _ mending: String
    ) async throws {
        let (source, target) = (try CopyProgram.Side(), try CopyProgram.Side())
        let side = isSource ? source : target
        let role = "role_\(side.database)"
        let address = side.server.conninfo(database: side.database, user: role)
        func filled(_ sql: String) -> String {
            sql.replacing("ROLE", with: role).replacing("DATABASE", with: side.database)
        }
        let program = try CopyProgram(
            "tables = { [\"public.*\"] = rh.copy }", source: source, target: target,
            sourceAddress: isSource ? address : nil, targetAddress: isSource ? nil : address)
        try source.run(rows)
        try side.run("create role \(role) login", filled(preparation))
        let failed = try await program.start().finished()
        try side.run(filled(mending))
        try await program.finish()

        expect(failed, message)
        try program.expectEqual("t", "other")
    }

    /// Children come before their parents for a role that may not turn foreign keys off.
    @Test func foreignKeysOfTheTargetAreNamed() async throws {
        let target = try CopyProgram.Side()
        let role = "role_\(target.database)"
        let program = try CopyProgram(
            "tables = { [\"public.*\"] = rh.copy }, snapshot = { workers = 1 }", target: target,
            targetAddress: target.server.conninfo(database: target.database, user: role))
        let parent = "create table parent (id int primary key)"
        let child = "create table child (id int primary key, parent int references parent)"
        try program.source.run(
            parent, child, "insert into parent select generate_series(1, 10)",
            "insert into child select i, 1 + i % 10 from generate_series(1, 5000) i", "analyze")
        try target.run(
            parent, child, "create role \(role) login", "grant create on database \(target.database) to \(role)",
            "grant select, insert on parent, child to \(role)")
        let failed = try await program.start().finished()
        try target.run("grant set on parameter session_replication_role to \(role)")
        try await program.finish()

        expect(
            failed,
            ["target", "writing public.child", "violates foreign key constraint \"child_parent_fkey\"", "23503"])
        try program.expectEqual("parent", "child")
    }

    /// For a superuser they do not fire; the source has done their work.
    @Test func triggersOfTheTargetDoNotFire() async throws {
        let program = try CopyProgram("tables = { [\"public.*\"] = rh.copy }")
        try program.source.run(rows)
        try program.target.run(
            "create table t (id int primary key, v text, n int)",
            "create table other (id int primary key references t)",
            """
            create function spoil() returns trigger language plpgsql as 'begin new.v = ''spoilt''; return new; end';
            create trigger spoil before insert on t for each row execute function spoil()
            """)
        try await program.finish()

        try program.expectEqual("t", "other")
    }

    @Test(.enabled(if: SmallDisk.isPossible)) func goesOnWhenTheDiskHasRoomAgain() async throws {
        let disk = try SmallDisk(megabytes: 2)
        defer { disk.remove() }
        let program = try CopyProgram(
            "tables = { [\"public.*\"] = rh.copy }, snapshot = { workers = 2, chunk_rows = 2000 }")
        try program.source.run(
            "create table t (id int primary key, v text)",
            "insert into t select i, repeat('x', 400) from generate_series(1, 10000) i", "analyze")
        let space = "space_\(program.target.database)"
        try program.target.server.run("create tablespace \(space) location '\(disk.directory)'")
        try program.target.run("create table t (id int primary key, v text) tablespace \(space)")
        let failed = try await program.start().finished()
        let before = try program.chunksDone()
        try disk.resize(megabytes: 20)
        try await program.finish()

        expect(failed, ["target", "writing public.t", "No space left on device", "53100"])
        #expect(before > 0)
        try program.expectEqual("t")
        try program.target.run("drop table t")
        try program.target.server.run("drop tablespace \(space)")
    }

    private func expect(
        _ output: ConsoleProcess.Output, _ parts: [String], _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(output.status == 1, "\(output.errors)", sourceLocation: location)
        for part in parts { #expect(output.errors.contains(part), "\(output.errors)", sourceLocation: location) }
    }
}

/// A file system in memory that is full soon.
private struct SmallDisk {
    let directory: String

    /// Mounting is a right that not every machine gives.
    static let isPossible: Bool = {
        guard let disk = try? SmallDisk(megabytes: 1) else { return false }
        disk.remove()
        return true
    }()

    init(megabytes: Int) throws {
        directory = try TestWorkspace.shared().makeDirectory("disk")
        let account = try TestWorkspace.shared().account
        let options = "size=\(megabytes)m,uid=\(account.userID),gid=\(account.groupID),mode=700"
        try Command(["mount", "-t", "tmpfs", "-o", options, "tmpfs", directory], as: .caller).runChecked()
    }

    func resize(megabytes: Int) throws {
        try Command(["mount", "-o", "remount,size=\(megabytes)m", directory], as: .caller).runChecked()
    }

    func remove() { _ = try? Command(["umount", "-l", directory], as: .caller).run() }
}
