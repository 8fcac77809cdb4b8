import EventLoops
import LuaRuntime
import Postgres
import PostgresProtocol

/// What came of a SQL statement.
package enum StatementOutcome: Sendable {
    case done
    case failed(FailureReport)
    case interrupted
}

extension ReplBackend {
    /// Runs one statement on the session; its rows are written as they come, in bounded memory. When the calling task is
    /// cancelled, the statement is cancelled on the server, and has ended there when this returns.
    package func execute(
        _ sql: String, as format: ResultFormat, to sink: any ResultSink
    ) async -> StatementOutcome {
        await host.actor.run { [self] _ in
            defer { noteFacts() }
            do throws(ScriptError) {
                let worker = try worker()
                let lease = try await session(worker)
                let outcome = try await run(sql, try lease.usable, format, ResultOutput(sink))
                if case .done = outcome { memory.note(sql) }
                tellNotifications(worker)
                return outcome
            } catch {
                return error.code == "RH2205" ? .interrupted : .failed(Self.report(error))
            }
        }
    }

    /// The first column of what a statement returns, for answers of our own; NULL is empty.
    package func texts(_ sql: String) async -> Result<[[String?]], FailureReport> {
        await host.actor.run { [self] _ in
            do throws(ScriptError) {
                let connection = try await session(try worker()).usable
                do throws(PostgresError) {
                    return .success(try await Self.collect(sql, connection))
                } catch {
                    throw ScriptError(error)
                }
            } catch {
                return .failure(Self.report(error))
            }
        }
    }

    private static func report(_ error: ScriptError) -> FailureReport { FailureReport(error) }

    private static func collect(_ sql: String, _ connection: Connection) async throws(PostgresError) -> [[String?]] {
        let stream = try await connection.textRows(sql)
        var rows: [[String?]] = []
        while true {
            switch try stream.next() {
            case .row(let row):
                rows.append(
                    stream.columns.indices.map { index in row[index].map { String(decoding: $0, as: UTF8.self) } })
            case .pending: try await stream.wait()
            case .end: return rows
            }
        }
    }

    // MARK: On the host's loop

    private func run(
        _ sql: String, _ connection: Connection, _ format: ResultFormat, _ output: ResultOutput
    ) async throws(ScriptError) -> StatementOutcome {
        do throws(PostgresError) {
            let outcome: StatementOutcome
            switch Self.way(of: sql, format) {
            case .rows: outcome = try await writeRows(of: sql, connection, format, output)
            case .csv: outcome = try await writeCSV(of: sql, connection, output)
            case .copyOut: outcome = try await writeCopy(try await connection.copyOut(sql), output)
            case .copyIn:
                throw .unusable(reason: "COPY FROM STDIN takes its data from a script: conn:copy_in(table)")
            }
            output.flush()
            return outcome
        } catch {
            output.flush()
            throw ScriptError(error)
        }
    }

    private enum Way {
        case rows, csv, copyOut, copyIn
    }

    private static func way(of sql: String, _ format: ResultFormat) -> Way {
        guard SQLInput(sql)?.word.uppercased() == "COPY" else {
            return format.kind == .csv && Connection.canCopy(sql) ? .csv : .rows
        }
        let words = sql.uppercased().split { !$0.isLetter }
        if words.contains("STDOUT") { return .copyOut }
        return words.contains("STDIN") ? .copyIn : .rows
    }

    private func writeRows(
        of sql: String, _ connection: Connection, _ format: ResultFormat, _ output: ResultOutput
    ) async throws(PostgresError) -> StatementOutcome {
        let stream = try await connection.textRows(sql)
        let columns = stream.columns.map { OutputColumn($0.name, $0.type) }
        let formatter = format.formatter(columns, output)
        var fields = [UnsafeRawBufferPointer?](repeating: nil, count: columns.count)
        var count = 0
        while true {
            switch try stream.next() {
            case .row(let row):
                for index in fields.indices { fields[index] = row[index] }
                formatter.add(fields)
                count += 1
                if output.isClosed {
                    await stream.close()
                    return .done
                }
                guard count % Self.rowsBetweenLooks == 0, Task.isCancelled else { continue }
                await stream.cancel()
                throw .cancelled
            case .pending: try await stream.wait()
            case .end:
                formatter.end(stream.command)
                return .done
            }
        }
    }

    /// Whether somebody has interrupted is looked at that often while rows come faster than they are written.
    private static let rowsBetweenLooks = 256

    /// The server makes the lines. The query is described before: an error in it is told in its own terms.
    private func writeCSV(
        of sql: String, _ connection: Connection, _ output: ResultOutput
    ) async throws(PostgresError) -> StatementOutcome {
        let shape = try await connection.describe(sql)
        guard !shape.columns.isEmpty else {
            return try await writeRows(of: sql, connection, ResultFormat(.csv), output)
        }
        // Line breaks end what may be a comment.
        return try await writeCopy(
            try await connection.copyOut("COPY (\n\(sql)\n) TO STDOUT (FORMAT csv, HEADER)"), output)
    }

    private func writeCopy(_ stream: CopyOutStream, _ output: ResultOutput) async throws(PostgresError)
        -> StatementOutcome
    {
        var count = 0
        while true {
            switch try stream.next() {
            case .message(let bytes):
                output.write(bytes)
                count += 1
                if output.isClosed {
                    await stream.close()
                    return .done
                }
                guard count % Self.rowsBetweenLooks == 0, Task.isCancelled else { continue }
                await stream.cancel()
                throw .cancelled
            case .pending: try await stream.wait()
            case .end: return .done
            }
        }
    }
}
