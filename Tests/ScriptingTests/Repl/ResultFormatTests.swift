import PostgresProtocol
import Synchronization
import Testing

@testable import Scripting

/// Keeps what is written.
private final class Collected: ResultSink {
    private let bytes = Mutex<[UInt8]>([])

    func write(_ new: UnsafeRawBufferPointer) -> Bool {
        bytes.withLock { $0 += new }
        return true
    }

    var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }
}

@Suite struct ResultFormatTests {
    private func write(_ format: ResultFormat, _ names: [String], _ rows: [[String?]], types: [UInt32]) -> String {
        let sink = Collected()
        let output = ResultOutput(sink)
        let columns = zip(names, types).map { OutputColumn($0, OID($1)) }
        let formatter = format.formatter(columns, output)
        for row in rows {
            let fields = row.map { $0.map { Array($0.utf8) } }
            let copies = fields.map { field in
                field.map { bytes in
                    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 1)
                    copy.copyBytes(from: bytes)
                    return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(copy)[..<bytes.count])
                }
            }
            formatter.add(copies)
            for copy in copies { copy?.deallocate() }
        }
        formatter.end("SELECT \(rows.count)")
        output.flush()
        return sink.text
    }

    @Test func drawsOneTableForManyPieces() {
        let rows = (1...1200).map { ["\($0)", $0 == 1100 ? "wide value" : "x"] as [String?] }
        let lines = write(ResultFormat(.table), ["n", "t"], rows, types: [23, 25]).split(separator: "\n")

        #expect(lines.count == 1200 + 2 + 2 + 2 + 1)
        #expect(lines[2] == "   1 | x" && lines[501] == " 500 | x")
        #expect(lines.filter { $0.hasPrefix("-") }.count == 3)
        #expect(lines.last == "(1200 rows)")
        #expect(lines.contains(" 1100 | wide value"))
    }

    @Test func expandsWhatIsTooWide() {
        var format = ResultFormat(.table)
        format.width = 20
        let row = ["1", String(repeating: "x", count: 30)] as [String?]

        #expect(write(format, ["id", "t"], [["1", "x"]], types: [23, 25]) == " id | t\n----+---\n  1 | x\n(1 row)\n")
        #expect(
            write(format, ["id", "t"], [row], types: [23, 25])
                == "-[ row 1 ]---------\nid | 1\nt  | xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n(1 row)\n")
    }

    @Test func showsNullAndEmptyTextApart() {
        let text = write(ResultFormat(.table), ["a", "b", "c"], [[nil, "", "NULL"]], types: [25, 25, 25])

        #expect(text == "  a   | b |   c\n------+---+--------\n NULL |   | \"NULL\"\n(1 row)\n")
    }

    @Test func tagsAreForPeopleOnly() {
        #expect(write(ResultFormat(.table), [], [], types: []) == "SELECT 0\n")
        #expect(write(ResultFormat(.tsv), [], [], types: []) == "")
    }
}
