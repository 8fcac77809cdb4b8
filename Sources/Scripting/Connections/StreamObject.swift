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

    fileprivate let source: any RowIterating

    private init(_ source: any RowIterating) { self.source = source }

    /// Pushes what a generic `for` takes: the iterator, two nils, and what is closed at the end.
    static func push(_ source: any RowIterating, to stack: LuaStack) -> Int32 {
        let stream = StreamObject(source)
        stack.push(direct: nextRow, stream)
        stack.pushNil()
        stack.pushNil()
        stack.push(stream, type)
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

private func nextRow(_ thread: LuaThread?, _ stream: UnsafeMutableRawPointer?) -> Int32 {
    LuaStack.direct(thread, stream, StreamObject.self) { stream, stack throws(ScriptError) in
        try stream.source.next(stack)
    }
}

/// What a `RowSource` takes its rows from.
protocol RowSupply: AnyObject {
    /// Pushes the next row if it is here. Does not wait.
    func push(_ factory: RowFactory, to stack: LuaStack) throws(ScriptError) -> RowSupplyStep
    /// Waits until there is something to push.
    func wait() async throws(PostgresError)
    /// The rows that are left are not wanted.
    func close() async
}

enum RowSupplyStep {
    case pushed
    case failed(PostgresError)
    /// Nothing has come yet.
    case pending
    case end
}

/// The rows of `conn:rows(sql, …)` and `conn:copy_out(…)`.
final class RowSource<Supply: RowSupply>: RowIterating {
    let worker: ScriptWorker
    private let supply: Supply
    private let factory: RowFactory
    private let owner: Lease
    private(set) var hasEnded = false

    init(_ supply: Supply, _ factory: RowFactory, _ owner: Lease, _ worker: ScriptWorker) {
        self.supply = supply
        self.factory = factory
        self.owner = owner
        self.worker = worker
    }

    func next(_ stack: LuaStack) throws(ScriptError) -> Int32 {
        if !hasEnded { try owner.requireHeld() }
        if worker.scheduler.isTurnOver() {
            return try worker.scheduler.yield(stack) { [self] stack throws(ScriptError) in try take(stack) }
        }
        return try take(stack)
    }

    func close() async {
        hasEnded = true
        if owner.isHeld { await supply.close() }
    }

    @inline(__always)
    private func take(_ stack: LuaStack) throws(ScriptError) -> Int32 {
        switch try supply.push(factory, to: stack) {
        case .pushed: return 1
        case .failed(let error): throw fail(error)
        case .pending: return try wait(stack)
        case .end:
            hasEnded = true
            stack.pushNil()
            return 1
        }
    }

    private func wait(_ stack: LuaStack) throws(ScriptError) -> Int32 {
        try worker.scheduler.wait(stack) { [self] () async throws(ScriptError) in
            do throws(PostgresError) { try await supply.wait() } catch { throw fail(error) }
            return { [self] stack throws(ScriptError) in try take(stack) }
        }
    }

    private func fail(_ error: PostgresError) -> ScriptError {
        hasEnded = true
        owner.note(error)
        return ScriptError(error)
    }
}

/// Rows of a query as libpq gives them one by one.
final class ResultSupply: RowSupply {
    private let stream: RowStream

    init(_ stream: RowStream) { self.stream = stream }

    func wait() async throws(PostgresError) { try await stream.wait() }

    func close() async { await stream.close() }

    @inline(__always)
    func push(_ factory: RowFactory, to stack: LuaStack) throws(ScriptError) -> RowSupplyStep {
        do throws(PostgresError) {
            switch try stream.next() {
            case .row(let row):
                row.fill(RowUserdata.push(factory, size: row.layoutSize, to: stack))
                return .pushed
            case .pending: return .pending
            case .end: return .end
            }
        } catch {
            return .failed(error)
        }
    }
}

/// Rows that come by COPY.
final class CopySupply: RowSupply {
    private let stream: CopyOutStream
    private var messages = CopyBinaryMessages()

    init(_ stream: CopyOutStream) { self.stream = stream }

    func wait() async throws(PostgresError) { try await stream.wait() }

    func close() async { await stream.close() }

    @inline(__always)
    func push(_ factory: RowFactory, to stack: LuaStack) throws(ScriptError) -> RowSupplyStep {
        while true {
            let step: CopyOutStream.Step
            do throws(PostgresError) { step = try stream.next() } catch { return .failed(error) }
            switch step {
            case .message(let message):
                if try push(message, factory, to: stack) { return .pushed }
            case .pending: return .pending
            case .end: return .end
            }
        }
    }

    /// False if the message held no row (the header or the trailer of the binary format).
    @inline(__always)
    private func push(
        _ message: UnsafeRawBufferPointer, _ factory: RowFactory, to stack: LuaStack
    ) throws(ScriptError) -> Bool {
        let columns = factory.shape.columns.count
        do throws(CopyError) {
            if stream.format == .binary {
                guard let tuple = try messages.tuple(in: message) else { return false }
                let size = try RowLayout.size(ofBinaryTuple: tuple, columns: columns)
                try RowLayout.fill(RowUserdata.push(factory, size: size, to: stack), fromBinaryTuple: tuple)
            } else {
                let size = RowLayout.size(ofTextLine: message, columns: columns)
                _ = try RowLayout.fill(
                    RowUserdata.push(factory, size: size, to: stack), fromTextLine: message, columns: columns)
            }
            return true
        } catch {
            throw ScriptError(code: "RH2210", "COPY: \(error)")
        }
    }
}
