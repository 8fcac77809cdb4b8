import CLibpq
import PostgresProtocol

/// One pipeline on its way: what was sent, and what has come back. Answers are read while sending, so that neither side
/// waits for the other with full buffers.
final class PipelineRun {
    /// How a statement is sent.
    private enum Form {
        case prepared(PreparedStatement)
        case unprepared([OID])
    }

    private let connection: Connection
    private let batch: [PipelineStatement]
    private let reserve: RowStore.Reserve?
    private var forms: [Form] = []
    private var answers: [Result<ResultSet, PostgresError>] = []
    private var sent = 0

    init(_ connection: Connection, _ batch: [PipelineStatement], reserve: RowStore.Reserve?) {
        self.connection = connection
        self.batch = batch
        self.reserve = reserve
    }

    /// One for each statement.
    var results: [Result<ResultSet, PostgresError>] {
        answers + Array(repeating: .failure(.pipelineAborted), count: batch.count - answers.count)
    }

    /// Decides how each statement is sent. False if one was refused: the pipeline is over before it was sent.
    func prepare(until deadline: ContinuousClock.Instant?) async throws(PostgresError) -> Bool {
        var mayPrepare = connection.preparedStatementLimit > 0
        for (index, item) in batch.enumerated() {
            do {
                let form = try await form(of: item, &mayPrepare, until: deadline)
                try check(item.parameters, form)
                forms.append(form)
            } catch {
                guard case .server = error else { throw error }
                answers = Array(repeating: .failure(.pipelineAborted), count: index) + [.failure(error)]
                return false
            }
        }
        return true
    }

    private func form(
        of item: PipelineStatement, _ mayPrepare: inout Bool, until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> Form {
        let key = StatementCache.Key(sql: item.sql, types: item.parameters.map(\.declaredType))
        if mayPrepare, let known = connection.statements.find(key) { return .prepared(known) }
        guard !item.sql.utf8.contains(0) else { throw .unusable(reason: "the SQL text contains a zero byte") }
        let traits = StatementTraits(item.sql)
        guard traits.count == 1 else { throw .unusable(reason: "a pipeline takes single statements") }
        guard !traits.isCopy else { throw .unusable(reason: "COPY is not possible in a pipeline") }
        if traits.dirties { connection.isDirty = true }
        mayPrepare = mayPrepare && traits.isPlannable
        guard mayPrepare else { return .unprepared(key.types) }
        // What makes room is forgotten later: a statement of this pipeline may be among it.
        return .prepared(try await connection.prepared(key, forgetsEvicted: false, until: deadline))
    }

    /// Wrong values are found before anything is sent.
    private func check(_ parameters: [Parameter], _ form: Form) throws(PostgresError) {
        switch form {
        case .prepared(let statement): _ = try ParameterBlock(parameters, types: statement.parameterTypes)
        case .unprepared(let types): _ = try ParameterBlock(parameters, types: types)
        }
    }

    /// Sends all statements and the Sync that ends them. When that is not possible to the end, the connection is given
    /// up: without its Sync, nothing of the pipeline stays.
    func send(_ raw: OpaquePointer, until deadline: ContinuousClock.Instant?) async throws(PostgresError) {
        do throws(PostgresError) {
            try await sendAll(raw, until: deadline)
        } catch {
            connection.fail(.unusable(reason: "a pipeline was not sent to its end: \(error)"))
            throw error
        }
    }

    private func sendAll(_ raw: OpaquePointer, until deadline: ContinuousClock.Instant?) async throws(PostgresError) {
        for (item, form) in zip(batch, forms) {
            switch form {
            case .prepared(let statement): try connection.sendPrepared(statement, item.parameters)
            case .unprepared(let types): try connection.sendUnprepared(item.sql, item.parameters, types)
            }
            sent += 1
            try await flush(raw, until: deadline)
        }
        guard PQpipelineSync(raw) == 1 else { throw connection.lost() }
        try await flush(raw, until: deadline)
    }

    private func flush(_ raw: OpaquePointer, until deadline: ContinuousClock.Instant?) async throws(PostgresError) {
        while try connection.flushOnce() == false {
            try await connection.waitToFlush(until: deadline)
            while answers.count < sent, PQisBusy(raw) == 0 {
                if let result = PQgetResult(raw) { try take(result) }
            }
        }
    }

    /// Reads the rest of the answers, up to that to Sync.
    func receive(_ raw: OpaquePointer, until deadline: ContinuousClock.Instant?) async throws(PostgresError) {
        while let result = try await connection.nextPipelineResult(until: deadline) { try take(result) }
    }

    /// Adds an answer and frees `result`.
    private func take(_ result: OpaquePointer) throws(PostgresError) {
        defer { PQclear(result) }
        let index = answers.count
        guard index < batch.count else { return }
        switch PQresultStatus(result) {
        case PGRES_FATAL_ERROR: answers.append(.failure(failure(result, at: index)))
        case PGRES_PIPELINE_ABORTED: answers.append(.failure(.pipelineAborted))
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            // libpq finds no way out of this.
            let error = PostgresError.unusable(reason: "COPY is not possible in a pipeline")
            connection.fail(error)
            throw error
        default:
            let collector = ResultCollector(reserve: reserve)
            try collector.addAll(result, shape: shape(at: index))
            connection.noteCommand(PQcmdStatus(result))
            answers += collector.results.map { .success($0) }
        }
    }

    private func shape(at index: Int) -> ResultShape? {
        guard case .prepared(let statement) = forms[index] else { return nil }
        return statement.shape
    }

    private func failure(_ result: OpaquePointer, at index: Int) -> PostgresError {
        let item = batch[index]
        let error = connection.error(of: result, query: item.sql)
        let key = StatementCache.Key(sql: item.sql, types: item.parameters.map(\.declaredType))
        // Prepared again at its next use; the pipeline as a whole cannot be repeated from here.
        _ = connection.forgetUseless(key, error)
        return error
    }
}
