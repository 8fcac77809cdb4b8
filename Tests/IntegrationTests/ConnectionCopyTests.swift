import EventLoops
import Postgres
import PostgresProtocol
import TestSupport
import Testing

extension CopyOutStream {
    /// Hands every message to `body`.
    func forEach(_ body: (UnsafeRawBufferPointer) async throws -> Void) async throws {
        while true {
            switch try next() {
            case .message(let bytes): try await body(bytes)
            case .pending: try await wait()
            case .end: return
            }
        }
    }
}

extension CopyInWriter {
    func send(_ text: String) async throws {
        var text = text
        let step = try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
        if step == .mustWait { try await wait() }
    }
}

@Suite(.onServer)
struct ConnectionCopyTests {
    @Test func copiesFromOneConnectionToAnother() async throws {
        try await withConnection { source in
            try await source.execute(
                "create temp table f as select i, 'row ' || i as t from generate_series(1, 200000) i")
            let target = try await Connection.connect(source.settings, on: source.loop, until: nil)
            defer { target.close() }
            try await target.execute("create temp table g (i int, t text)")
            for format in ["text", "binary"] {
                let reader = try await source.copyOut("copy f to stdout (format \(format))")
                let writer = try await target.copyIn("copy g from stdin (format \(format))")
                try await reader.forEach { bytes in
                    if try writer.write(bytes) == .mustWait { try await writer.wait() }
                }
                let count = try await writer.finish()

                #expect(count == 200_000)
                #expect(reader.rowCount == 200_000)
                #expect(writer.columnCount == 2)
                #expect(writer.format == (format == "text" ? .text : .binary))
            }
            let sum = try await target.query("select sum(i)::int8 from g")
            #expect(sum.integer() == 2 * 20_000_100_000)
        }
    }

    @Test func anEarlyCloseOfCopyOutFreesTheConnection() async throws {
        try await withConnection { connection in
            let stream = try await connection.copyOut(
                "copy (select repeat('x', 1000) from generate_series(1, 5000) a, generate_series(1, 5000) b) to stdout")
            guard case .message = try stream.next() else {
                try await stream.wait()
                return await stream.close()
            }
            await stream.close()

            #expect(connection.isClean(for: .clean))
            #expect(try await connection.query("select 1").integer() == 1)
        }
    }

    @Test func reportsAnErrorInTheMiddleOfCopyOut() async throws {
        try await withConnection { connection in
            let stream = try await connection.copyOut(
                "copy (select 1 / (5000 - i) from generate_series(1, 9000) i) to stdout")
            let error = try await postgresError { try await stream.forEach { _ in } }

            #expect(error.sqlstate == "22012")
            #expect(connection.isClean(for: .clean))
        }
    }

    @Test func seesAServerErrorWhileStillSending() async throws {
        try await withConnection { connection in
            try await connection.execute("create temp table n (i int)")
            let writer = try await connection.copyIn("copy n from stdin")
            try await writer.send("not a number\n")
            var sent = 0
            let error = try await postgresError {
                while sent < 2_000_000 {
                    try await writer.send(String(repeating: "1\n", count: 2000))
                    sent += 2000
                }
                return try await writer.finish()
            }

            #expect(error.sqlstate == "22P02")
            #expect(sent < 2_000_000)
            #expect(connection.isClean(for: .clean) || connection.isDirty)
            #expect(try await connection.query("select count(*) from n").integer() == 0)
        }
    }

    @Test func goesOnThroughNoticesOfTriggers() async throws {
        try await withConnection { connection in
            try await connection.execute(
                """
                create temp table w (i int);
                create function pg_temp.note() returns trigger language plpgsql as $$
                  begin raise notice 'row %', new.i; return new; end $$;
                create trigger note before insert on w for each row execute function pg_temp.note()
                """)
            var notices = 0
            connection.onNotice = { _ in notices += 1 }
            let writer = try await connection.copyIn("copy w from stdin")
            for number in 0..<30_000 { try await writer.send("\(number)\n") }
            let count = try await writer.finish()

            #expect(count == 30_000)
            #expect(notices == 30_000)
        }
    }

    @Test func anAbortedCopyLeavesNothing() async throws {
        try await withConnection { connection in
            try await connection.execute("create temp table a (i int)")
            let writer = try await connection.copyIn("copy a from stdin")
            try await writer.send("1\n")
            await writer.abort()
            await writer.abort()
            let error = try await postgresError { try await writer.finish() }

            #expect(error == .unusable(reason: "the COPY has ended"))
            #expect(try await connection.query("select count(*) from a").integer() == 0)
        }
    }

    @Test func refusesWhatIsNotACopy() async throws {
        try await withConnection { connection in
            let out = try await postgresError { try await connection.copyOut("select 1") }
            let inward = try await postgresError { try await connection.copyIn("copy (select 1) to stdout") }
            let query = try await postgresError { try await connection.query("copy (select 1) to stdout") }
            let feed = try await postgresError { try await connection.query("copy pg_class from stdin") }
            let syntax = try await postgresError { try await connection.copyOut("copy nowhere to stdout") }

            #expect(out == .unusable(reason: "the statement is not a COPY to the client"))
            #expect(inward == .unusable(reason: "the statement is not a COPY from the client"))
            #expect(query == .unusable(reason: "COPY from or to the client needs a call of its own"))
            #expect(feed.sqlstate != nil || feed == query)
            #expect(syntax.sqlstate == "42P01")
            #expect(connection.isClean(for: .clean))
        }
    }

    @Test func resetEndsACopyOnBothSides() async throws {
        try await withConnection { connection in
            _ = try await connection.copyOut(
                "copy (select repeat('x', 1000) from generate_series(1, 1000000)) to stdout")
            try await connection.reset(.clean, until: .now + .seconds(10))
            try await connection.execute("create table if not exists reset_copy (i int)")
            let writer = try await connection.copyIn("copy reset_copy from stdin")
            try await writer.send("1\n")
            try await connection.reset(.clean, until: .now + .seconds(10))
            let stale = try await postgresError { try await writer.finish() }

            #expect(stale == .unusable(reason: "the COPY is no longer open"))
            #expect(try await connection.query("select count(*) from reset_copy").integer() == 0)
        }
    }
}
