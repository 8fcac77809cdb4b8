package import PostgresProtocol

/// Takes the rows that a chunk becomes: sorts them by table and columns into lanes, and hands full lanes on. Lives on a
/// worker's loop.
///
///     let lane = try output.lane(table, columns: names)
///     … append one row to lane.buffer …
///     if output.rowWritten(to: lane), try !output.tryFlush(lane) { try await output.flush(lane) }
package final class ChunkOutput {
    package struct Counts: Sendable, Equatable {
        /// Rows of the source.
        package var read = 0
        package var written = 0
        /// Rows that the function wanted nowhere.
        package var dropped = 0
        /// Rows that failed, with the policy to go on without them.
        package var skipped = 0
        package var deadLetters = 0
        /// Bytes of COPY data from the source.
        package var bytes = 0

        package init() {}
    }

    private static let laneSize = 1 << 16
    /// A lane that is not the one being sent gathers more: changing over costs a round trip.
    private static let waitingLaneSize = 1 << 20
    private static let totalSize = 8 << 20

    package let mapping: TableMapping
    package var counts = Counts()
    private let sink: any LaneSink
    /// Of changes: takes each row by itself. It owns this output.
    private unowned let recorder: (any RowRecorder)?
    private var lanes: [LaneKey: OutputLane] = [:]
    /// The one whose rows are being sent.
    private var active: OutputLane?

    private struct LaneKey: Hashable {
        let table: QualifiedName
        let columns: [String]
        let isPartial: Bool
    }

    package init(_ mapping: TableMapping, _ sink: any LaneSink, _ recorder: (any RowRecorder)? = nil) {
        self.mapping = mapping
        self.sink = sink
        self.recorder = recorder
    }

    /// The lane for these columns of a table, in this order. Throws if the table does not have one of them.
    package func lane(
        _ table: CatalogTable, columns names: [String], format: DataFormat? = nil, isPartial: Bool = false
    ) throws(ReplicationError) -> OutputLane {
        let key = LaneKey(table: table.name, columns: names, isPartial: isPartial)
        if let lane = lanes[key] { return lane }
        var columns: [CatalogColumn] = []
        for name in names {
            guard let column = table.column(name) else {
                throw .unknownColumn(name, of: table.name, .target, known: table.columns.map(\.name))
            }
            guard !column.isGenerated else { throw .generatedColumn(name, of: table) }
            columns.append(column)
        }
        let lane = OutputLane(
            table, columns: columns, format: format ?? recorder?.format(of: table),
            isFramed: recorder == nil ? nil : true,
            isPartial: isPartial)
        lanes[key] = lane
        return lane
    }

    /// Looks a table up in the target that a function has named. Throws if there is none.
    package func table(_ name: QualifiedName) async throws(ReplicationError) -> CatalogTable {
        if name == mapping.target.name { return mapping.target }
        return try await sink.table(name)
    }

    /// A whole row was appended to the lane's buffer. True: `tryFlush` is due before the next one.
    package func rowWritten(to lane: OutputLane) -> Bool {
        counts.written &+= 1
        if let recorder {
            recorder.rowWritten(to: lane)
            return false
        }
        lane.rows &+= 1
        return lane.buffer.count >= (lane === active ? Self.laneSize : laneLimit(lane))
    }

    /// The same for all chunks or batches whose durable values are seen together.
    package var session: AnyObject { sink }

    /// The function's answer to one row is written: all that it becomes.
    package func rowAnswered() throws(ReplicationError) { try recorder?.rowAnswered() }

    /// The row that came next has failed, and is left out.
    package func rowFailed() { recorder?.rowFailed() }

    /// Hands the lane's rows on, if that needs no waiting; false: `flush` is needed.
    package func tryFlush(_ lane: OutputLane) throws(ReplicationError) -> Bool {
        guard lane === active else { return false }
        return try sink.tryTake(lane)
    }

    package func flush(_ lane: OutputLane) async throws(ReplicationError) {
        active = lane
        try await sink.take(lane)
    }

    /// Keeps a row that failed.
    package func write(_ letter: DeadLetter) async throws(ReplicationError) {
        counts.deadLetters += 1
        try await sink.take(letter, of: mapping)
    }

    /// The values of a script's store in JSON, by key, as they are in the target now.
    package func values(ofStore store: String) async throws(ReplicationError) -> [String: String] {
        try await sink.values(ofStore: store)
    }

    /// Changes of durable values that are to be committed with the rows.
    package func write(_ changes: [StateChange]) { sink.take(changes) }

    /// Hands all that is left on.
    package func finish() async throws(ReplicationError) {
        for lane in lanes.values where lane.rows > 0 { try await flush(lane) }
    }

    private func laneLimit(_ lane: OutputLane) -> Int {
        if active == nil || lanes.count == 1 { return Self.laneSize }
        return min(Self.waitingLaneSize, Self.totalSize / lanes.count)
    }
}

/// Takes rows one by one, with the row of the source that they come from. Rows of the source are answered, or fail, in the
/// order in which they came.
package protocol RowRecorder: AnyObject {
    /// Of all rows of a table, so that equal keys are equal bytes.
    func format(of table: CatalogTable) -> DataFormat
    /// A framed row is at the end of the lane's buffer, or one of several; takes the first one out.
    func rowWritten(to lane: OutputLane)
    func rowAnswered() throws(ReplicationError)
    func rowFailed()
}

/// Where full lanes go.
package protocol LaneSink: AnyObject {
    /// Takes the lane's rows and clears it if that needs no waiting; false and untouched otherwise, or taken and to be
    /// waited for with `take`, which then finds the lane empty.
    func tryTake(_ lane: OutputLane) throws(ReplicationError) -> Bool
    func take(_ lane: OutputLane) async throws(ReplicationError)
    func take(_ letter: DeadLetter, of mapping: TableMapping) async throws(ReplicationError)
    func table(_ name: QualifiedName) async throws(ReplicationError) -> CatalogTable
    func values(ofStore store: String) async throws(ReplicationError) -> [String: String]
    func take(_ changes: [StateChange])
}

/// A row that failed, as it was before the function saw it.
package struct DeadLetter: Sendable {
    /// Columns of the source with their values in PostgreSQL's text form; nil is NULL.
    package var row: [(column: String, value: String?)]
    package var failure: TransformFailure

    package init(row: [(column: String, value: String?)], failure: TransformFailure) {
        self.row = row
        self.failure = failure
    }
}

extension ReplicationError {
    static func generatedColumn(_ name: String, of table: CatalogTable) -> ReplicationError {
        .mismatch(
            code: "RH3305", "column \"\(name)\" of \(table.name) is generated by the target and cannot be written",
            hint: "Leave it out: \"columns\" lists what is copied.")
    }
}
