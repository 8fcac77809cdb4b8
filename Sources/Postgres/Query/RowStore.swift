import CLibpq
import PostgresProtocol

/// Rows in row layout, in blocks of memory that grow with the result.
final class RowStore {
    /// Asked before more memory is taken; false refuses.
    typealias Reserve = (_ bytes: Int) -> Bool

    private static let firstBlock = 1 << 10
    private static let largestBlock = 1 << 20

    private var rows: ContiguousArray<UnsafeRawBufferPointer> = []
    private var blocks: [UnsafeMutableRawPointer] = []
    private var free = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var nextBlock = firstBlock
    private(set) var reservedBytes = 0
    private let reserve: Reserve?

    init(reserve: Reserve?) { self.reserve = reserve }

    deinit { for block in blocks { block.deallocate() } }

    var count: Int { rows.count }

    subscript(index: Int) -> UnsafeRawBufferPointer { rows[index] }

    /// Copies a row of `result`. Throws `.resultTooLarge` if more memory is refused.
    func append(_ row: ResultRow) throws(PostgresError) {
        let size = row.layoutSize
        let memory = try take(size)
        row.fill(memory)
        rows.append(UnsafeRawBufferPointer(start: memory, count: size))
    }

    /// `size` bytes, aligned to 4.
    private func take(_ size: Int) throws(PostgresError) -> UnsafeMutableRawPointer {
        let aligned = max(4, (size + 3) & ~3)
        if aligned > free.count { try grow(aligned) }
        guard let start = free.baseAddress else { throw .resultTooLarge(bytes: reservedBytes) }
        free = UnsafeMutableRawBufferPointer(start: start + aligned, count: free.count - aligned)
        return start
    }

    private func grow(_ needed: Int) throws(PostgresError) {
        let size = max(needed, nextBlock)
        // What the index of rows takes is counted with the block its rows are in, at a guess of 64 bytes for a row.
        let charged = size + size / 4
        if let reserve, !reserve(charged) { throw .resultTooLarge(bytes: reservedBytes + charged) }
        let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
        blocks.append(block)
        free = UnsafeMutableRawBufferPointer(start: block, count: size)
        reservedBytes += charged
        nextBlock = min(nextBlock * 2, Self.largestBlock)
    }
}
