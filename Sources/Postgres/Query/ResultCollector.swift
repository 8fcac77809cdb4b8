import CLibpq
import PostgresProtocol

/// Gathers what libpq hands out in single-row mode into result sets.
final class ResultCollector {
    private(set) var results: [ResultSet] = []
    private let reserve: RowStore.Reserve?
    private var shape: ResultShape?
    private var rows: RowStore

    init(reserve: RowStore.Reserve?) {
        self.reserve = reserve
        rows = RowStore(reserve: reserve)
    }

    /// Takes a row or the end of a result; `known` is its shape if that is known without looking.
    func add(_ result: OpaquePointer, shape known: ResultShape?) throws(PostgresError) {
        if shape == nil { shape = known ?? ResultShape(result) }
        guard PQresultStatus(result) == PGRES_SINGLE_TUPLE else { return finish(result) }
        try append(result, row: 0)
    }

    /// Takes a result with all its rows.
    func addAll(_ result: OpaquePointer, shape known: ResultShape?) throws(PostgresError) {
        shape = known ?? ResultShape(result)
        for row in 0..<PQntuples(result) { try append(result, row: row) }
        finish(result)
    }

    private func append(_ result: OpaquePointer, row: CInt) throws(PostgresError) {
        let columns = Int(PQnfields(result))
        let format: DataFormat = columns > 0 && PQfformat(result, 0) == 1 ? .binary : .text
        try rows.append(ResultRow(result: result, row: row, columns: columns, format: format))
    }

    private func finish(_ result: OpaquePointer) {
        let count = PQcmdTuples(result).flatMap { Int(String(cString: $0)) }
        results.append(
            ResultSet(
                shape: shape ?? ResultShape(columns: []), rows: rows,
                command: PQcmdStatus(result).map { String(cString: $0) } ?? "", affected: count))
        rows = RowStore(reserve: reserve)
        shape = nil
    }
}
