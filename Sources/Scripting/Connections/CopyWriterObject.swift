import LuaRuntime
import Postgres
import PostgresProtocol

/// `conn:copy_in(…)`: called with rows or tables, then closed. Left without `close()`, the COPY is given up.
final class CopyWriterObject {
    static let type = ObjectType<CopyWriterObject>("COPY writer")

    /// Enough to make a write worth its while.
    private static let flushSize = 1 << 16

    /// How rows of one shape go into the columns.
    private struct Mapping {
        let shape: RowShape
        /// For each target column the row's column, if it has one.
        let sources: [Int?]
        /// An unchanged row's bytes are the target's bytes.
        let isIdentity: Bool
        /// Whether a column's bytes can be taken as they are.
        let isDirect: [Bool]
    }

    private enum State {
        case writing
        case ended
    }

    private let writer: CopyInWriter
    private let columns: [RowShape.Column]
    private let indices: [String: Int]
    private let owner: Lease
    private let worker: ScriptWorker
    private var buffer = ByteBuffer(capacity: 1 << 17)
    private var scratch = ByteBuffer()
    private var mapping: Mapping?
    private var state = State.writing

    init(_ writer: CopyInWriter, _ columns: [RowShape.Column], _ owner: Lease, _ worker: ScriptWorker) {
        self.writer = writer
        self.columns = columns
        self.owner = owner
        self.worker = worker
        indices = Dictionary(columns.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
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
                try append(row, stack)
            } else if stack.type(at: 2) == .table {
                try appendTable(stack)
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

    private func append(_ row: RowUserdata, _ stack: LuaStack) throws(ScriptError) {
        let mapping = try mapping(for: row.shape)
        if writer.format == .binary {
            if mapping.isIdentity && !row.isChanged {
                return CopyBinaryWriter.appendRow(row.fields, columns: columns.count, to: &buffer)
            }
            CopyBinaryWriter.appendFieldCount(columns.count, to: &buffer)
        }
        for (index, source) in mapping.sources.enumerated() {
            if writer.format == .text, index > 0 { CopyTextWriter.appendSeparator(to: &buffer) }
            guard let source else {
                appendRaw(nil)
                continue
            }
            if row.isChanged, worker.rows.pushAssigned(source, of: 2, to: stack) {
                try appendValue(index, stack)
                stack.pop()
            } else if mapping.isDirect[index] {
                appendRaw(row.field(source))
            } else {
                try worker.rows.pushValue(of: row, source, at: 2, to: stack)
                try appendValue(index, stack)
                stack.pop()
            }
        }
        if writer.format == .text { CopyTextWriter.appendRowEnd(to: &buffer) }
    }

    private func appendTable(_ stack: LuaStack) throws(ScriptError) {
        try checkKeys(stack)
        if writer.format == .binary { CopyBinaryWriter.appendFieldCount(columns.count, to: &buffer) }
        for index in columns.indices {
            if writer.format == .text, index > 0 { CopyTextWriter.appendSeparator(to: &buffer) }
            if stack.getField(columns[index].name, of: 2) == .nil {
                stack.pop()
                stack.pushElement(index + 1, of: 2)
            }
            try appendValue(index, stack)
            stack.pop()
        }
        if writer.format == .text { CopyTextWriter.appendRowEnd(to: &buffer) }
    }

    @inline(__always)
    private func appendRaw(_ field: UnsafeRawBufferPointer?) {
        if writer.format == .binary {
            CopyBinaryWriter.appendField(field, to: &buffer)
        } else {
            CopyTextWriter.appendField(field, to: &buffer)
        }
    }

    /// Encodes the value on top of the stack for a column.
    private func appendValue(_ index: Int, _ stack: LuaStack) throws(ScriptError) {
        let column = columns[index]
        let mark = writer.format == .binary ? CopyBinaryWriter.beginField(in: &buffer) : buffer.count
        let hasValue: Bool
        do {
            hasValue = try worker.rows.writer.append(
                stack.count, of: stack, as: column.kind, writer.format, to: &buffer)
        } catch {
            throw ScriptError(code: "RH2213", "column \"\(column.name)\": \(error.description)")
        }
        switch (writer.format, hasValue) {
        case (.binary, true): CopyBinaryWriter.endField(mark, in: &buffer)
        case (.text, true): CopyTextWriter.escapeField(from: mark, in: &buffer, scratch: &scratch)
        case (_, false):
            buffer.truncate(to: mark)
            appendRaw(nil)
        }
    }

    // MARK: Mapping

    @inline(__always)
    private func mapping(for shape: RowShape) throws(ScriptError) -> Mapping {
        if let mapping, mapping.shape === shape { return mapping }
        let made = try makeMapping(shape)
        mapping = made
        return made
    }

    private func makeMapping(_ shape: RowShape) throws(ScriptError) -> Mapping {
        for column in shape.columns where indices[column.name] == nil { throw unknownColumn(column.name) }
        let positions = Dictionary(
            shape.columns.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        let sources = columns.map { positions[$0.name] }
        let isDirect = zip(columns, sources).map { column, source in
            guard let source else { return true }
            let given = shape.columns[source]
            return given.format == column.format && (given.type == column.type || column.format == .text)
        }
        let isIdentity =
            shape.isBinary && isDirect.allSatisfy(\.self) && sources == Array(0..<columns.count)
            && shape.columns.count == columns.count
        return Mapping(shape: shape, sources: sources, isIdentity: isIdentity, isDirect: isDirect)
    }

    private func checkKeys(_ stack: LuaStack) throws(ScriptError) {
        try stack.forEach(in: 2) { (key, _) throws(ScriptError) in
            if stack.type(at: key) == .number {
                guard let number = stack.integer(at: key), number >= 1, number <= columns.count else {
                    throw ScriptError(
                        code: "RH2104", "no column \(DisplayText.short(of: key, stack)): there are \(columns.count)")
                }
            } else if let name = stack.string(at: key), indices[name] == nil {
                throw unknownColumn(name)
            }
        }
    }

    private func unknownColumn(_ name: String) -> ScriptError {
        let near = Suggestion.nearest(to: name, among: columns.map(\.name))
        return ScriptError(
            code: "RH2104",
            "no column \"\(name)\" among those that are written" + (near.map { ", did you mean \"\($0)\"?" } ?? ""),
            hint: "They are \(columns.map(\.name).joined(separator: ", ")).")
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
