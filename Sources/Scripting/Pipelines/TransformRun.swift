import EventLoops
import LuaRuntime
import PostgresProtocol
import Replication

/// One chunk's way through a script's function: a task whose driver (`replhost.transforms`) asks for rows and gives
/// back what became of them.
final class TransformRun {
    /// What bounds a batch.
    private static let batchRows = 1000
    private static let batchBytes = 4 << 20

    let transform: LuaRowTransform
    let output: ChunkOutput
    let facts: RowFacts
    let writer: TransformWriter
    let state: ChunkState
    private let factory: RowFactory
    private let input: any RowInput
    /// The same, of changes.
    private let changes: (any ChangeInput)?
    private let isFramed: Bool
    private let isBatch: Bool
    private let columnCount: Int
    private let scheduler: LuaScheduler
    private var stopwatch: FunctionStopwatch
    /// The newest row as it came, valid until the next one is asked for.
    private var message: UnsafeRawBufferPointer?
    private var batch = (rows: 0, bytes: 0)
    /// Why the task was ended by the host.
    private var stop: ReplicationError?
    /// What `note` has seen last.
    private var noted: LuaFailure?
    /// Which row it was that `give` refused.
    private var refused: [(column: String, value: String?)]?

    var worker: ScriptWorker { transform.worker }

    init(_ transform: LuaRowTransform, _ factory: RowFactory, _ input: any RowInput, _ output: ChunkOutput) {
        self.transform = transform
        self.factory = factory
        self.input = input
        self.output = output
        isFramed = input.isFramed
        changes = input as? any ChangeInput
        isBatch = transform.function.isBatch
        columnCount = factory.shape.fieldCount
        scheduler = transform.worker.scheduler
        stopwatch = FunctionStopwatch(transform.time, isBatch: isBatch)
        facts = RowFacts(factory.shape, sources: input.columns.map(\.name), key: transform.mapping.key)
        writer = TransformWriter(transform, factory.shape, output, isOfChanges: changes != nil)
        state = changes == nil ? ChunkState(output) : transform.library.changeState(output)
    }

    func perform() async throws(ReplicationError) {
        let task = start()
        worker.transformRuns[ObjectIdentifier(task)] = self
        await scheduler.end(of: task)
        worker.transformRuns[ObjectIdentifier(task)] = nil
        // The script may keep its event, which asks for the row's key.
        defer { message = nil }
        stopwatch.hand()
        let isInterrupt = task.failure?.interrupt.map { $0 != .taskCancelled } ?? false
        if let stop, !isInterrupt { throw stop }
        guard let failure = task.failure else { return output.write(state.takeChanges()) }
        if failure.interrupt == .taskCancelled { throw .cancelled }
        throw .transform(describe(failure, key: refused ?? currentKey))
    }

    private func start() -> LuaTask {
        let stack = worker.state.stack
        transform.library.pushDriver(transform.driver, to: stack)
        pushHost(to: stack)
        stack.push(transform.function.reference)
        return scheduler.spawn(stack, arguments: 2, origin: nil)
    }

    private func pushHost(to stack: LuaStack) {
        stack.pushTable(of: [
            "key": { [self] stack throws(ScriptError) in try pushKey(stack) },
            "note": { [self] stack throws(ScriptError) in
                noted = stack.failure()
                return 1
            },
            "keep": { [self] _ in
                state.keep()
                return 0
            },
            "settle": { [self] stack throws(ScriptError) in try settle(stack) },
            "fresh": { [self] stack throws(ScriptError) in
                noted = nil
                state.undo()
                let row = try RowLibrary.row(at: 1, of: stack, "fresh")
                RowUserdata.pushCopy(of: 1, to: stack)
                row.expire()
                return 1
            },
        ])
        stack.push(direct: takeRow, self)
        stack.setField("take", of: -2)
        stack.push(direct: giveRow, self)
        stack.setField("give", of: -2)
        stack.push(direct: stepRow, self)
        stack.setField("step", of: -2)
        stack.push(transform.mapping.source.name.description)
        stack.setField("table", of: -2)
        if let changes { pushFacts(of: changes, to: stack) }
    }

    // MARK: Rows

    fileprivate func take(_ stack: LuaStack) throws(ScriptError) -> Int32 {
        scheduler.noteProgress()
        stopwatch.forget()
        if scheduler.isTurnOver() {
            stopwatch.hand()
            return try scheduler.yield(stack) { [self] stack throws(ScriptError) in try next(stack) }
        }
        return try next(stack)
    }

    /// Hands full lanes on, then pushes a row and whether the batch is full with it; or nil.
    private func next(_ stack: LuaStack) throws(ScriptError) -> Int32 {
        if let stop { throw .stopped(by: stop) }
        do throws(ReplicationError) {
            if writer.isDue, let lane = try flushWithoutWaiting() { return try wait(stack, for: lane) }
            switch try input.next() {
            case .row(let bytes):
                let count = try push(bytes, to: stack)
                stopwatch.begin()
                return count
            case .pending: return try waitForInput(stack)
            case .end:
                message = nil
                stack.pushNil()
                stopwatch.beginBatch()
                return 1
            }
        } catch {
            throw fail(error)
        }
    }

    /// The lane that can only be handed on by waiting.
    private func flushWithoutWaiting() throws(ReplicationError) -> OutputLane? {
        while let lane = writer.due.last {
            guard try output.tryFlush(lane) else { return lane }
            writer.due.removeLast()
        }
        writer.isDue = false
        return nil
    }

    @inline(__always)
    private func push(_ bytes: UnsafeRawBufferPointer, to stack: LuaStack) throws(ReplicationError) -> Int32 {
        message = bytes
        output.counts.read &+= 1
        output.counts.bytes &+= bytes.count
        do throws(CopyError) {
            if isFramed {
                let tuple = try CopyBinaryTuple(bytes)
                let size = try RowLayout.size(ofBinaryTuple: tuple, columns: columnCount)
                try RowLayout.fill(RowUserdata.push(factory, size: size, to: stack), fromBinaryTuple: tuple)
            } else {
                let size = RowLayout.size(ofTextLine: bytes, columns: columnCount)
                let row = RowUserdata.push(factory, size: size, to: stack)
                _ = try RowLayout.fill(row, fromTextLine: bytes, columns: columnCount)
            }
        } catch {
            throw .damaged(error, table: transform.mapping.source.name)
        }
        guard isBatch else { return 1 }
        stack.push(countForBatch(bytes.count))
        return 2
    }

    private func countForBatch(_ bytes: Int) -> Bool {
        batch = (batch.rows + 1, batch.bytes + bytes)
        guard batch.rows == Self.batchRows || batch.bytes >= Self.batchBytes else { return false }
        batch = (0, 0)
        return true
    }

    fileprivate func give(_ stack: LuaStack) throws(ScriptError) -> Int32 {
        stopwatch.end()
        if let name = try writer.unknownTable(stack) {
            return try lookUp(name, stack) { [self] stack throws(ScriptError) in try give(stack) }
        }
        try write(stack)
        return 0
    }

    /// Both at once: one call of the host for a row.
    fileprivate func step(_ stack: LuaStack) throws(ScriptError) -> Int32 {
        stopwatch.end()
        if let name = try writer.unknownTable(stack) {
            return try lookUp(name, stack) { [self] stack throws(ScriptError) in try step(stack) }
        }
        try write(stack)
        return try take(stack)
    }

    /// Writes what became of the row at index 1, whose time is over then.
    @inline(__always)
    private func write(_ stack: LuaStack) throws(ScriptError) {
        let row = RowUserdata(at: 1, of: stack)
        do throws(ScriptError) {
            try writer.write(stack, of: row)
        } catch {
            if let row { refused = facts.key(of: row.fields) }
            throw error
        }
        if let row {
            row.expire()
            try answer()
        }
        state.keep()
    }

    @inline(__always)
    private func answer() throws(ScriptError) {
        guard changes != nil else { return }
        do throws(ReplicationError) { try output.rowAnswered() } catch { throw ScriptError(error) }
    }

    // MARK: Waiting

    private func wait(_ stack: LuaStack, for lane: OutputLane) throws(ReplicationError) -> Int32 {
        try waiting(stack) { [self] () async throws(ReplicationError) in
            try await output.flush(lane)
            if writer.due.last === lane { writer.due.removeLast() }
        } then: { [self] stack throws(ScriptError) in
            try next(stack)
        }
    }

    private func waitForInput(_ stack: LuaStack) throws(ReplicationError) -> Int32 {
        try waiting(stack) { [self] () async throws(ReplicationError) in
            try await input.wait()
        } then: { [self] stack throws(ScriptError) in
            try next(stack)
        }
    }

    /// Suspends the task for `operation`; an error ends it.
    private func waiting(
        _ stack: LuaStack, _ operation: @escaping () async throws(ReplicationError) -> Void,
        then delivery: @escaping Delivery
    ) throws(ReplicationError) -> Int32 {
        do throws(ScriptError) {
            return try scheduler.wait(stack) { [self] () async throws(ScriptError) in
                do throws(ReplicationError) { try await operation() } catch { throw fail(error) }
                return delivery
            }
        } catch {
            throw stop ?? .cancelled
        }
    }

    /// Reads a store of the script's durable values, then goes on with `delivery`.
    func load(_ store: String, _ stack: LuaStack, then delivery: @escaping Delivery) throws(ScriptError) -> Int32 {
        try scheduler.wait(stack) { [self] () async throws(ScriptError) in
            do throws(ReplicationError) { try await state.load(store) } catch { throw fail(error) }
            return delivery
        }
    }

    /// Asks the target for a table that the function has named, then goes on with `delivery`.
    private func lookUp(
        _ name: QualifiedName, _ stack: LuaStack, then delivery: @escaping Delivery
    ) throws(ScriptError) -> Int32 {
        try scheduler.wait(stack) { [self] () async throws(ScriptError) in
            do throws(ReplicationError) {
                writer.add(try await output.table(name))
            } catch {
                guard case .mismatch = error else { throw fail(error) }
                throw ScriptError(error)
            }
            return delivery
        }
    }

    /// The run ends with this error, whatever the task makes of it.
    private func fail(_ error: ReplicationError) -> ScriptError {
        stop = stop ?? error
        return .stopped(by: error)
    }

    // MARK: Rows that fail

    /// What the policy says becomes of the row at index 1, which has failed with the error at index 2.
    private func settle(_ stack: LuaStack) throws(ScriptError) -> Int32 {
        let row = try RowLibrary.row(at: 1, of: stack, "settle")
        refused = nil
        stopwatch.end()
        state.undo()
        if let stop { throw .stopped(by: stop) }
        stack.setCount(2)
        // Errors for want of memory are raised without anybody being told.
        let failure = noted.take() ?? stack.failure()
        defer { row.expire() }
        guard transform.mapping.options.onError == .deadLetter else {
            output.counts.skipped += 1
            output.rowFailed()
            return 0
        }
        let letter = DeadLetter(
            row: facts.values(of: row.fields), failure: describe(failure, key: facts.key(of: row.fields)))
        return try scheduler.wait(stack) { [self] () async throws(ScriptError) in
            do throws(ReplicationError) { try await output.write(letter) } catch { throw fail(error) }
            output.rowFailed()
            return { _ in 0 }
        }
    }

    private func describe(_ failure: LuaFailure, key: [(column: String, value: String?)]) -> TransformFailure {
        TransformFailure(
            // Of what Lua itself or error() has raised.
            code: failure.error.code == "RH1000" ? "RH3201" : failure.error.code, message: failure.error.message,
            hint: failure.error.hint, details: failure.error.details,
            position: failure.position ?? transform.place,
            traceback: failure.traceback, table: transform.mapping.source.name, key: key,
            isInterrupt: failure.interrupt != nil && failure.interrupt != .timeLimit)
    }

    // MARK: Changes

    private func pushFacts(of changes: any ChangeInput, to stack: LuaStack) {
        stack.push(function: { [self] stack throws(ScriptError) in try pushFact(of: changes, stack) })
        stack.setField("fact", of: -2)
        stack.push(function: { [self] stack throws(ScriptError) in
            stack.push(try isChanged(stack, changes))
            return 1
        })
        stack.setField("changed", of: -2)
    }

    /// A member of `event`, by its name at index 1; nil for those that changes do not have.
    private func pushFact(of changes: any ChangeInput, _ stack: LuaStack) throws(ScriptError) -> Int32 {
        guard message != nil else { return 0 }
        let change = changes.change
        switch stack.string(at: 1) {
        case "op": stack.push(change.operation.rawValue)
        case "lsn": stack.push(change.lsn.description)
        case "xid": stack.push(Int64(change.xid))
        case "commit_time": stack.push(RowFacts.text(ofTimestamp: change.commitTime))
        case "old": try pushOld(changes, to: stack)
        default: stack.pushNil()
        }
        return 1
    }

    private func pushOld(_ changes: any ChangeInput, to stack: LuaStack) throws(ScriptError) {
        guard let bytes = changes.oldRow else { return stack.pushNil() }
        do throws(CopyError) {
            let tuple = try CopyBinaryTuple(bytes)
            let size = try RowLayout.size(ofBinaryTuple: tuple, columns: columnCount)
            try RowLayout.fill(RowUserdata.push(factory, size: size, to: stack), fromBinaryTuple: tuple)
        } catch {
            throw ScriptError(code: "RH2210", "\(error)")
        }
    }

    /// Whether the column at index 1 may have another value than before: what is not known counts as changed.
    private func isChanged(_ stack: LuaStack, _ changes: any ChangeInput) throws(ScriptError) -> Bool {
        let name = stack.string(at: 1) ?? ""
        guard let column = factory.shape.columns.prefix(columnCount).firstIndex(where: { $0.name == name }) else {
            throw factory.shape.unknownColumn(name)
        }
        guard let message, let new = Self.field(column, of: message) else { return false }
        guard let old = changes.oldRow, let before = Self.field(column, of: old) else { return true }
        return !new.elementsEqual(before)
    }

    /// With its length; nil if it was not sent.
    private static func field(_ column: Int, of row: UnsafeRawBufferPointer) -> Slice<UnsafeRawBufferPointer>? {
        var position = 2
        for _ in 0..<column { position += 4 + Int(max(row.loadBigEndian(position, as: Int32.self), 0)) }
        let length = row.loadBigEndian(position, as: Int32.self)
        return length == -2 ? nil : row[position..<(position + 4 + Int(max(length, 0)))]
    }

    // MARK: The newest row

    /// Of a batch, nobody knows which row it is about.
    private var currentKey: [(column: String, value: String?)] {
        guard !isBatch, let message else { return [] }
        return facts.withRow(message, isFramed: isFramed) { facts.key(of: $0) } ?? []
    }

    /// `event.key`: the key columns as they came.
    private func pushKey(_ stack: LuaStack) throws(ScriptError) -> Int32 {
        guard !isBatch, let message else {
            throw ScriptError(code: "RH3205", "the event of a batch has no \"key\"", hint: "Each row has its own.")
        }
        var failure: CodecError?
        facts.withRow(message, isFramed: isFramed) { fields in
            do throws(CodecError) {
                try facts.pushKey(of: fields, worker.rows, to: stack)
            } catch {
                failure = error
            }
        }
        if let failure { throw ScriptError(code: "RH2101", "event.key: \(failure)") }
        return 1
    }
}

private func takeRow(_ thread: LuaThread?, _ run: UnsafeMutableRawPointer?) -> Int32 {
    LuaStack.direct(thread, run, TransformRun.self) { run, stack throws(ScriptError) in try run.take(stack) }
}

private func giveRow(_ thread: LuaThread?, _ run: UnsafeMutableRawPointer?) -> Int32 {
    LuaStack.direct(thread, run, TransformRun.self) { run, stack throws(ScriptError) in try run.give(stack) }
}

private func stepRow(_ thread: LuaThread?, _ run: UnsafeMutableRawPointer?) -> Int32 {
    LuaStack.direct(thread, run, TransformRun.self) { run, stack throws(ScriptError) in try run.step(stack) }
}

extension ScriptError {
    /// What the script's code is ended with when the reason lies outside of it.
    fileprivate static func stopped(by error: ReplicationError) -> ScriptError {
        ScriptError(code: "RH3200", "the copy has failed: \(error)")
    }
}
