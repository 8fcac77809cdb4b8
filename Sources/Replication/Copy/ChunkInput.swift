import EventLoops
import Postgres
import PostgresProtocol

/// Rows of a chunk as COPY sends them; counts them, and holds them back when the pipeline is throttled.
final class ChunkInput: RowInput {
    /// Between two looks at the throttle, and two notes of progress.
    private static let rowsBetweenLooks = 256

    let columns: [InputColumn]
    private(set) var rows = 0
    private(set) var bytes = 0
    private let mapping: TableMapping
    private let stream: CopyOutStream
    private var messages = CopyBinaryMessages()
    private let meter: ChunkMeter
    private let loop: EventLoop
    private var reported = (rows: 0, bytes: 0)
    private var pause: Duration?

    init(_ stream: CopyOutStream, _ mapping: TableMapping, _ meter: ChunkMeter, on loop: EventLoop) {
        self.stream = stream
        self.mapping = mapping
        self.meter = meter
        self.loop = loop
        columns = mapping.input
    }

    @inline(__always)
    func next() throws(ReplicationError) -> RowInputStep {
        if rows - reported.rows >= Self.rowsBetweenLooks, try mustPause() { return .pending }
        while true {
            let step: CopyOutStream.Step
            do throws(PostgresError) { step = try stream.next() } catch { throw failed(error) }
            switch step {
            case .message(let message):
                guard let row = try row(in: message) else { continue }
                rows &+= 1
                bytes &+= row.count
                return .row(row)
            case .pending: return .pending
            case .end:
                report()
                return .end
            }
        }
    }

    var isFramed: Bool { stream.format == .binary }

    func wait() async throws(ReplicationError) {
        if let pause {
            self.pause = nil
            do { return try await loop.sleep(until: .now + pause) } catch { throw .cancelled }
        }
        do throws(PostgresError) { try await stream.wait() } catch { throw failed(error) }
    }

    func close() async { await stream.close() }

    @inline(__always)
    private func row(in message: UnsafeRawBufferPointer) throws(ReplicationError) -> UnsafeRawBufferPointer? {
        guard stream.format == .binary else { return message }
        do throws(CopyError) { return try messages.tuple(in: message)?.bytes } catch {
            throw .damaged(error, table: mapping.source.name)
        }
    }

    private func mustPause() throws(ReplicationError) -> Bool {
        if Task.isCancelled { throw .cancelled }
        pause = report()
        return pause != nil
    }

    @discardableResult
    private func report() -> Duration? {
        defer { reported = (rows, bytes) }
        return meter.add(rows: rows - reported.rows, bytes: bytes - reported.bytes)
    }

    private func failed(_ error: PostgresError) -> ReplicationError {
        .database(.source, error, doing: "reading \(mapping.source.name)")
    }
}
