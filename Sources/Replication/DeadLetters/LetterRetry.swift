import Postgres
import PostgresProtocol

/// Sends dead letters through the functions once more, each in a transaction with its removal. Lives on its worker's loop.
package struct LetterRetry {
    private let definition: PipelineDefinition
    private let worker: any PipelineWorker

    package init(_ definition: PipelineDefinition, _ worker: any PipelineWorker) {
        self.definition = definition
        self.worker = worker
    }

    /// How many were delivered, and why the others were not.
    package func run(
        _ selection: LetterSelection
    ) async throws(ReplicationError) -> (delivered: Int, failed: [(id: Int, error: ReplicationError)]) {
        let connections = WorkerConnections(worker, snapshot: nil)
        defer { connections.release() }
        let (source, target) = (try await connections.source(), try await connections.target())
        let ledger = Ledger(target, pipeline: definition.name)
        guard try await ledger.exists() else { return (0, []) }
        let tables = try await mappings(source, target)
        var delivered = 0
        var failed: [(id: Int, error: ReplicationError)] = []
        for letter in try await ledger.letters(selection) {
            do throws(ReplicationError) {
                guard let name = QualifiedName(parsing: letter.source), let mapping = tables[name] else {
                    throw .unknownTable(QualifiedName(name: letter.source), .source, known: Array(tables.keys))
                }
                try await deliver(letter, mapping, ledger, source)
                delivered += 1
            } catch {
                if error.isTransient || error.isCancellation { throw error }
                failed.append((letter.id, error))
            }
        }
        return (delivered, failed)
    }

    private func mappings(
        _ source: Connection, _ target: Connection
    ) async throws(ReplicationError) -> [QualifiedName: TableMapping] {
        let selection = try await PipelineCatalog.selection(definition, on: source)
        let targets = try await CatalogReader(target, .target).tables(selection.tables.map(\.targetName))
        var mappings: [QualifiedName: TableMapping] = [:]
        for table in selection.tables {
            guard let target = targets[table.targetName] else { continue }
            var mapping = try TableMapping(table, target: target)
            mapping.options.onError = .stop
            mappings[table.source.name] = mapping
        }
        return mappings
    }

    private func deliver(
        _ letter: StoredLetter, _ mapping: TableMapping, _ ledger: Ledger, _ source: Connection
    ) async throws(ReplicationError) {
        let target = ledger.connection
        let change = LetterChange(letter, mapping)
        let row = try await change?.row(on: source)
        let isGone = change != nil && row == nil
        let sink = CopySink(
            target, .write(change == nil ? mapping.options.onConflict : .upsert),
            PipelineContext(pipeline: definition.name, scriptHash: definition.scriptHash))
        try await target.run("BEGIN", on: .target, doing: "retrying a dead letter")
        do throws(ReplicationError) {
            guard let transform = try worker.makeTransform(mapping) else { throw .withoutTransform(mapping) }
            let input = LineInput(row ?? letter.line(mapping), mapping)
            if isGone {
                let capture = CaptureSink(target)
                let output = ChunkOutput(mapping, capture)
                try await transform.run(input, output)
                try await output.finish()
                try await LetterChange.remove(capture.takeRows(), on: target)
            } else {
                let output = ChunkOutput(mapping, sink)
                try await transform.run(input, output)
                try await output.finish()
                try await sink.finish()
            }
            guard try await ledger.removeLetters(LetterSelection(ids: [letter.id])) == 1 else {
                throw .deliveredElsewhere(letter)
            }
            try await target.run("COMMIT", on: .target, doing: "retrying a dead letter")
        } catch {
            await sink.abandon()
            try await target.run("ROLLBACK", on: .target, doing: "retrying a dead letter")
            throw error
        }
    }
}

extension StoredLetter {
    /// The row as COPY would have sent it as text.
    fileprivate func line(_ mapping: TableMapping) -> [UInt8] {
        let values = Dictionary(row.map { ($0.column, $0.value) }, uniquingKeysWith: { first, _ in first })
        var line = ByteBuffer()
        var field = ByteBuffer()
        for (index, column) in mapping.columns.enumerated() {
            if index > 0 { CopyTextWriter.appendSeparator(to: &line) }
            guard let value = values[column.source] ?? nil else {
                CopyTextWriter.appendField(nil, to: &line)
                continue
            }
            field.removeAll()
            field.append(value)
            CopyTextWriter.appendField(field.bytes, to: &line)
        }
        return Array(line.bytes)
    }
}

extension ReplicationError {
    fileprivate static func deliveredElsewhere(_ letter: StoredLetter) -> ReplicationError {
        .mismatch(
            code: "RH3412", "dead letter \(letter.id) was delivered or removed by somebody else meanwhile", hint: nil)
    }

    fileprivate static func withoutTransform(_ mapping: TableMapping) -> ReplicationError {
        .mismatch(
            code: "RH3406", "the pipeline has no function for \(mapping.source.name) any more",
            hint: "Add it again, or remove the letters: replhost dlq purge.")
    }
}
