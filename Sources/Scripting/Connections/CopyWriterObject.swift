import LuaRuntime
import Postgres
import PostgresProtocol

/// `conn:copy_in(…)`: called with rows or tables, then closed. Left without `close()`, the COPY is given up.
final class CopyWriterObject {
    static let type = ObjectType<CopyWriterObject>("COPY writer")

    /// Enough to make a write worth its while.
    private static let flushSize = 1 << 16

    private enum State {
        case writing
        case ended
    }

    private let writer: CopyInWriter
    private let encoder: RowEncoder
    private let owner: Lease
    private let worker: ScriptWorker
    private var buffer = ByteBuffer(capacity: 1 << 17)
    private var state = State.writing

    init(_ writer: CopyInWriter, _ columns: [RowShape.Column], _ owner: Lease, _ worker: ScriptWorker) {
        self.writer = writer
        encoder = RowEncoder(columns.map { .init(name: $0.name, kind: $0.kind) }, writer.format, worker.rows)
        self.owner = owner
        self.worker = worker
        if writer.format == .binary { CopyBinaryWriter.appendHeader(to: &buffer) }
    }

    static func register(in stack: LuaStack, _ worker: ScriptWorker) {
        type.register(
            in: stack,
            methods: [
                "close": { stack throws(ScriptError) in try stack.receiver(type, "writer:close").finish(stack) },
                "abort": { stack throws(ScriptError) in try stack.receiver(type, "writer:abort").abort(stack) },
            ],
            metamethods: [
                "__call": { stack throws(ScriptError) in try stack.receiver(type, "writer").write(stack) },
                "__close": { stack throws(ScriptError) in try stack.receiver(type, "writer").abort(stack) },
            ])
    }

    // MARK: Writing

    /// Takes the row or table at index 2.
    private func write(_ stack: LuaStack) throws(ScriptError) -> Int32 {
        guard state == .writing else {
            throw ScriptError(code: "RH2212", "the COPY writer is closed")
        }
        try owner.requireHeld()
        let start = buffer.count
        do throws(ScriptError) {
            if let row = RowUserdata(at: 2, of: stack) {
                try encoder.append(row, at: 2, of: stack, to: &buffer)
            } else if stack.type(at: 2) == .table {
                try encoder.checkKeys(ofTableAt: 2, stack)
                try encoder.appendTable(at: 2, of: stack, to: &buffer)
            } else {
                throw .argument(1, of: "writer", "row or table expected, got \(stack.describe(at: 2))")
            }
        } catch {
            buffer.truncate(to: start)
            throw error
        }
        return buffer.count < Self.flushSize ? 0 : try flush(stack)
    }

    private func flush(_ stack: LuaStack) throws(ScriptError) -> Int32 {
        let step: CopyInWriter.Step
        do { step = try writer.write(buffer.bytes) } catch { throw fail(error) }
        buffer.removeAll()
        if step == .ready && !worker.scheduler.isTurnOver() { return 0 }
        return try worker.scheduler.wait(stack) { [self] () async throws(ScriptError) in
            do throws(PostgresError) { try await writer.wait() } catch { throw fail(error) }
            return { _ in 0 }
        }
    }

    // MARK: Ending

    private func finish(_ stack: LuaStack) throws(ScriptError) -> Int32 {
        guard state == .writing else {
            throw ScriptError(code: "RH2212", "the COPY writer is closed")
        }
        try owner.requireHeld()
        try worker.scheduler.requireWaiting(stack)
        state = .ended
        if writer.format == .binary { CopyBinaryWriter.appendTrailer(to: &buffer) }
        return try worker.scheduler.wait(stack) { [self] () async throws(ScriptError) in
            do throws(PostgresError) {
                if try writer.write(buffer.bytes) == .mustWait { try await writer.wait() }
                let count = try await writer.finish()
                return { stack in
                    stack.push(Int64(count))
                    return 1
                }
            } catch {
                throw fail(error)
            }
        }
    }

    /// Where waiting is impossible, the connection is cleaned up when it is returned.
    private func abort(_ stack: LuaStack) throws(ScriptError) -> Int32 {
        guard state == .writing else { return 0 }
        state = .ended
        guard owner.isHeld, worker.scheduler.mayWait(stack) else { return 0 }
        return try worker.scheduler.wait(stack) { [self] () async throws(ScriptError) in
            await writer.abort("given up by the script")
            return { _ in 0 }
        }
    }

    private func fail(_ error: PostgresError) -> ScriptError {
        state = .ended
        owner.note(error)
        return ScriptError(error)
    }
}
