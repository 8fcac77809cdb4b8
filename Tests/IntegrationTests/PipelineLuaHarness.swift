import EventLoops
import LuaRuntime
import Postgres
import PostgresProtocol

@testable import Replication
@testable import Scripting

/// Scripts that declare pipelines, without databases: declarations are read, transforms run over rows in memory.
enum PipelineLua {
    /// Before the script, on its first line.
    private static let prelude = """
        local rh = require 'replhost' \
        local source, sink = rh.pool { dsn = 'host=/nowhere' }, rh.pool { dsn = 'host=/nowhere', max = 3 } \
        local function shop(tables) return rh.pipeline 'shop' { source = source, sink = sink, stream = false, tables = tables } end \

        """

    /// What `body` makes of the pipelines that the script returns, on the worker's loop.
    static func load<Value: Sendable>(
        _ script: String, timeLimit: Duration = .seconds(10),
        _ body: @escaping @Sendable ([LoadedPipeline], ScriptWorker) async throws -> Value
    ) async throws -> Value {
        let loop = EventLoop(name: "pipeline")
        defer { loop.stop() }
        return try await LoopActor(loop).run { actor in
            var lua = LuaOptions(directory: "/tmp")
            lua.libraryDirectory = StandardLibrary.directory
            lua.timeLimit = timeLimit
            let worker = try ScriptWorker(ScriptOptions(), lua, on: actor)
            defer { worker.close() }
            try worker.state.load(prelude + script, named: "@shop.lua")
            let task = worker.scheduler.spawn(worker.state.stack, arguments: 0, origin: nil)
            await worker.scheduler.end(of: task)
            if let failure = task.failure { throw failure }
            let pipelines = try LoadedPipelines.read(resultsOf: task, scriptHash: "hash", worker)
            return try await body(pipelines, worker)
        }
    }

    /// "file:line: message" of the error that the script is refused with.
    static func refusal(_ script: String) async throws -> String {
        do {
            try await load(script) { _, _ in }
        } catch let failure as LuaFailure {
            return (failure.position.map { "\($0): " } ?? "") + "\(failure.error.code) \(failure.error.message)"
        } catch let error as ScriptError {
            return "\(error.code) \(error.message)"
        }
        return "accepted"
    }
}

/// Rows for a transform, as COPY gives them. Every third one has to be waited for.
final class MemoryInput: RowInput {
    var isFramed: Bool { columns.allSatisfy { $0.format == .binary } }
    let columns: [InputColumn]
    private let messages: [[UInt8]]
    private var position = 0
    private var hasWaited = false
    private var buffer = ByteBuffer()

    init(_ columns: [CatalogColumn], _ rows: [[String?]], _ format: DataFormat) throws {
        self.columns = columns.map { InputColumn(name: $0.name, type: $0.type, kind: $0.kind, format: format) }
        messages = try rows.map { try Self.message($0, columns, format) }
    }

    func next() throws(ReplicationError) -> RowInputStep {
        guard position < messages.count else { return .end }
        if position % 3 == 2 && !hasWaited { return .pending }
        hasWaited = false
        buffer.removeAll()
        buffer.append(messages[position])
        position += 1
        return .row(buffer.bytes)
    }

    func wait() async throws(ReplicationError) {
        await Task.yield()
        hasWaited = true
    }

    private static func message(_ row: [String?], _ columns: [CatalogColumn], _ format: DataFormat) throws -> [UInt8] {
        var buffer = ByteBuffer()
        var text = ByteBuffer()
        if format == .binary { CopyBinaryWriter.appendFieldCount(row.count, to: &buffer) }
        for (index, value) in row.enumerated() {
            text.removeAll()
            text.append(value ?? "")
            if format == .text {
                if index > 0 { CopyTextWriter.appendSeparator(to: &buffer) }
                CopyTextWriter.appendField(value == nil ? nil : text.bytes, to: &buffer)
            } else if value == nil {
                CopyBinaryWriter.appendNull(to: &buffer)
            } else {
                let mark = CopyBinaryWriter.beginField(in: &buffer)
                try FieldEncoder.append(text: text.bytes, as: columns[index].kind, .binary, to: &buffer)
                CopyBinaryWriter.endField(mark, in: &buffer)
            }
        }
        if format == .text { CopyTextWriter.appendRowEnd(to: &buffer) }
        return Array(buffer.bytes)
    }
}

/// Keeps the rows that come, as text: "dw.orders(id=1, note=NULL)".
final class MemorySink: LaneSink {
    var rows: [String] = []
    var letters: [DeadLetter] = []
    private let tables: [CatalogTable]

    init(_ tables: [CatalogTable]) { self.tables = tables }

    func tryTake(_ lane: OutputLane) throws(ReplicationError) -> Bool { false }

    func take(_ lane: OutputLane) async throws(ReplicationError) {
        await Task.yield()
        do {
            rows += lane.format == .binary ? try binaryRows(lane) : try textRows(lane)
        } catch {
            throw .mismatch(code: "test", "\(error)", hint: nil)
        }
        lane.clear()
    }

    func take(_ letter: DeadLetter, of mapping: TableMapping) async throws(ReplicationError) {
        letters.append(letter)
    }

    func table(_ name: QualifiedName) async throws(ReplicationError) -> CatalogTable {
        await Task.yield()
        if let table = tables.first(where: { $0.name == name }) { return table }
        throw .mismatch(code: "RH3300", "the target has no table \(name)", hint: nil)
    }

    var stores: [String: [String: String]] = [:]
    var changes: [StateChange] = []

    func values(ofStore store: String) async throws(ReplicationError) -> [String: String] {
        await Task.yield()
        return stores[store] ?? [:]
    }

    func take(_ changes: [StateChange]) { self.changes += changes }

    private func binaryRows(_ lane: OutputLane) throws -> [String] {
        var parser = CopyBinaryParser()
        var data = ByteBuffer()
        CopyBinaryWriter.appendHeader(to: &data)
        data.append(lane.buffer.bytes)
        CopyBinaryWriter.appendTrailer(to: &data)
        parser.append(data.bytes)
        var rows: [String] = []
        while let tuple = try parser.next() {
            var fields: [String?] = []
            try tuple.forEachField { index, field in
                var text = ByteBuffer()
                guard let field else { return fields.append(nil) }
                try? FieldDecoder.appendText(field, lane.columns[index].kind, .binary, to: &text)
                fields.append(text.string)
            }
            rows.append(show(fields, lane))
        }
        return rows
    }

    private func textRows(_ lane: OutputLane) throws -> [String] {
        let lines = lane.buffer.string.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        return lines.map { line in
            show(
                line.split(separator: "\t", omittingEmptySubsequences: false).map { $0 == "\\N" ? nil : String($0) },
                lane)
        }
    }

    private func show(_ fields: [String?], _ lane: OutputLane) -> String {
        let values = zip(lane.columns, fields).map { "\($0.name)=\($1 ?? "NULL")" }
        return "\(lane.table.name)(\(values.joined(separator: ", ")))"
    }
}

/// What came of a run.
struct TransformOutcome: Sendable {
    var rows: [String] = []
    var counts = ChunkOutput.Counts()
    /// Each as "key: code message", with the row.
    var letters: [(failure: TransformFailure, row: String)] = []
    var changes: [StateChange] = []
    var failure: TransformFailure?
    var error: String?
}

extension PipelineLua {
    static let customers = table(
        "public.customers",
        [("id", .int8), ("email", .text), ("amount", .numeric), ("country", .text), ("at", .timestamp)])

    static func table(_ name: String, _ columns: [(String, OID)], generated: String? = nil) -> CatalogTable {
        CatalogTable(
            name: QualifiedName(parsing: name) ?? QualifiedName(name: name), oid: OID(1), kind: .plain,
            columns: columns.enumerated().map { index, column in
                CatalogColumn(
                    name: column.0, number: index + 1, type: column.1, typeName: "", kind: ValueKind(column.1),
                    isNotNull: false, isGenerated: column.0 == generated, identity: nil, hasDefault: false,
                    isOrdered: true)
            },
            key: ["id"], root: nil, pages: 1, rows: 1)
    }

    /// Runs the first pipeline's function for `public.customers` over `rows`. `target` is the table's own by default.
    static func transform(
        _ script: String, _ rows: [[String?]], format: DataFormat = .binary, target: CatalogTable? = nil,
        renames: [String: String] = [:], added: [String] = [], others: [CatalogTable] = [],
        stores: [String: [String: String]] = [:], timeLimit: Duration = .seconds(10)
    ) async throws -> TransformOutcome {
        try await load(script, timeLimit: timeLimit) { pipelines, _ in
            let pipeline = pipelines[0]
            guard let rule = pipeline.definition.rule(for: customers.name),
                case .copy(let options) = pipeline.definition.rules[rule].action
            else { return TransformOutcome(error: "no rule") }
            let mapping = TableMapping(
                source: customers, rule: rule, options: options, target: target ?? customers,
                columns: customers.columns.map {
                    ColumnMapping(source: $0.name, target: renames[$0.name] ?? $0.name)
                }, added: added, key: ["id"], format: format)
            let sink = MemorySink(others)
            sink.stores = stores
            let output = ChunkOutput(mapping, sink)
            var outcome = TransformOutcome()
            guard let transform = pipeline.makeTransform(mapping) else { return TransformOutcome(error: "no function") }
            do throws(ReplicationError) {
                let input: MemoryInput
                do { input = try MemoryInput(customers.columns, rows, format) } catch { throw .cancelled }
                try await transform.run(input, output)
            } catch {
                if case .transform(let failure) = error {
                    outcome.failure = failure
                } else {
                    outcome.error = "\(error)"
                }
            }
            try await output.finish()
            outcome.rows = sink.rows
            outcome.counts = output.counts
            outcome.changes = sink.changes.sorted { $0.key < $1.key }
            outcome.letters = sink.letters.map { letter in
                (letter.failure, letter.row.map { "\($0.column)=\($0.value ?? "NULL")" }.joined(separator: ", "))
            }
            return outcome
        }
    }
}
