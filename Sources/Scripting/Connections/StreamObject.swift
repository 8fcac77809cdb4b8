import LuaRuntime
import Postgres
import PostgresProtocol

/// Where a script's iterator gets its rows from: a query, or COPY.
protocol RowIterating: AnyObject {
    /// Pushes the next row or nil and answers 1; or waits.
    func next(_ stack: LuaStack) throws(ScriptError) -> Int32
    /// The rows that are left are not wanted.
    func close() async
    var hasEnded: Bool { get }
    var worker: ScriptWorker { get }
}

/// The closing value of a `for` over rows: leaving the loop early ends the stream on the server.
final class StreamObject {
    static let type = ObjectType<StreamObject>("row iterator")

    private let source: any RowIterating

    private init(_ source: any RowIterating) { self.source = source }

    /// Pushes what a generic `for` takes: the iterator, two nils, and what is closed at the end.
    static func push(_ source: any RowIterating, to stack: LuaStack) -> Int32 {
        stack.push(function: { stack throws(ScriptError) in try source.next(stack) })
        stack.pushNil()
        stack.pushNil()
        stack.push(StreamObject(source), type)
        return 4
    }

    static func register(in stack: LuaStack) {
        type.register(
            in: stack,
            metamethods: [
                "__close": { stack throws(ScriptError) in
                    let source = try stack.receiver(type, "row iterator").source
                    // Where waiting is impossible, the connection is cleaned up when it is returned.
                    guard !source.hasEnded, source.worker.scheduler.mayWait(stack) else { return 0 }
                    return try source.worker.scheduler.wait(stack) { () async throws(ScriptError) in
                        await source.close()
                        return { _ in 0 }
                    }
                }
            ])
    }
}

/// `conn:rows(sql, …)`.
final class RowSource: RowIterating {
    let worker: ScriptWorker
    private let stream: RowStream
    private let factory: RowFactory
    private let owner: ConnectionObject
    private(set) var hasEnded = false

    init(_ stream: RowStream, _ factory: RowFactory, _ owner: ConnectionObject, _ worker: ScriptWorker) {
        self.stream = stream
        self.factory = factory
        self.owner = owner
        self.worker = worker
    }

    func next(_ stack: LuaStack) throws(ScriptError) -> Int32 {
        if !hasEnded { _ = try owner.connection }
        if worker.scheduler.isTurnOver() {
            return try worker.scheduler.yield(stack) { [self] stack throws(ScriptError) in try take(stack) }
        }
        return try take(stack)
    }

    func close() async {
        hasEnded = true
        if owner.isHeld { await stream.close() }
    }

    @inline(__always)
    private func take(_ stack: LuaStack) throws(ScriptError) -> Int32 {
        let step: RowStream.Step
        do { step = try stream.next() } catch { throw fail(error) }
        switch step {
        case .row(let row):
            row.fill(RowUserdata.push(factory, size: row.layoutSize, to: stack))
        case .pending:
            return try worker.scheduler.wait(stack) { [self] () async throws(ScriptError) in
                do throws(PostgresError) { try await stream.wait() } catch { throw fail(error) }
                return { [self] stack throws(ScriptError) in try take(stack) }
            }
        case .end:
            hasEnded = true
            stack.pushNil()
        }
        return 1
    }

    private func fail(_ error: PostgresError) -> ScriptError {
        hasEnded = true
        owner.note(error)
        return ScriptError(error)
    }
}

/// `conn:copy_out(…)`.
final class CopySource: RowIterating {
    let worker: ScriptWorker
    private let stream: CopyOutStream
    private let factory: RowFactory
    private let owner: ConnectionObject
    private var messages = CopyBinaryMessages()
    private(set) var hasEnded = false

    init(_ stream: CopyOutStream, _ factory: RowFactory, _ owner: ConnectionObject, _ worker: ScriptWorker) {
        self.stream = stream
        self.factory = factory
        self.owner = owner
        self.worker = worker
    }

    func next(_ stack: LuaStack) throws(ScriptError) -> Int32 {
        if !hasEnded { _ = try owner.connection }
        if worker.scheduler.isTurnOver() {
            return try worker.scheduler.yield(stack) { [self] stack throws(ScriptError) in try take(stack) }
        }
        return try take(stack)
    }

    func close() async {
        hasEnded = true
        if owner.isHeld { await stream.close() }
    }

    private func take(_ stack: LuaStack) throws(ScriptError) -> Int32 {
        while true {
            let step: CopyOutStream.Step
            do { step = try stream.next() } catch { throw fail(error) }
            switch step {
            case .message(let message):
                if try push(message, to: stack) { return 1 }
            case .pending:
                return try worker.scheduler.wait(stack) { [self] () async throws(ScriptError) in
                    do throws(PostgresError) { try await stream.wait() } catch { throw fail(error) }
                    return { [self] stack throws(ScriptError) in try take(stack) }
                }
            case .end:
                hasEnded = true
                stack.pushNil()
                return 1
            }
        }
    }

    /// False if the message held no row (the header or the trailer of the binary format).
    private func push(_ message: UnsafeRawBufferPointer, to stack: LuaStack) throws(ScriptError) -> Bool {
        do {
            if stream.format == .binary {
                guard let tuple = try messages.tuple(in: message) else { return false }
                let size = try RowLayout.size(ofBinaryTuple: tuple, columns: factory.shape.columns.count)
                try RowLayout.fill(RowUserdata.push(factory, size: size, to: stack), fromBinaryTuple: tuple)
            } else {
                let size = RowLayout.size(ofTextLine: message, columns: factory.shape.columns.count)
                _ = try RowLayout.fill(
                    RowUserdata.push(factory, size: size, to: stack), fromTextLine: message,
                    columns: factory.shape.columns.count)
            }
            return true
        } catch {
            throw ScriptError(code: "RH2210", "COPY: \(error)")
        }
    }

    private func fail(_ error: PostgresError) -> ScriptError {
        hasEnded = true
        owner.note(error)
        return ScriptError(error)
    }
}
