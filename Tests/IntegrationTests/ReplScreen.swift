/// What somebody sees on a terminal: reads the bytes that a program writes as xterm would, as far as replhost goes.
struct ReplScreen {
    private(set) var width: Int
    private(set) var height: Int
    private var cells: [[String]]
    /// Lines that have left the screen at its top.
    private(set) var scrolled: [String] = []
    private var row = 0
    private var column = 0
    /// The cursor is behind the last column: the next character begins a new line.
    private var mustWrap = false
    private var pending: [UInt8] = []

    /// The second cell of a wide character.
    private static let continued = ""

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
        cells = Array(repeating: Array(repeating: " ", count: width), count: height)
    }

    /// Without blanks at the ends of lines.
    var lines: [String] { cells.map(Self.text) }

    /// All that is and was on the screen.
    var text: String { (scrolled + lines).joined(separator: "\n") }

    var visible: String { lines.joined(separator: "\n") }

    /// The line of the cursor, up to the cursor.
    var beforeCursor: String { cells[row][..<min(column, width)].joined() }

    var cursor: (row: Int, column: Int) { (row, column) }

    /// As xterm does it: lines are cut, not broken anew. The cursor's line stays.
    mutating func resize(width: Int, height: Int) {
        while row >= height {
            cells.removeFirst()
            row -= 1
        }
        let blank = Array(repeating: " ", count: width)
        cells = cells.prefix(height).map { Array(($0 + blank).prefix(width)) }
        cells += Array(repeating: blank, count: height - cells.count)
        (self.width, self.height) = (width, height)
        column = min(column, width - 1)
    }

    mutating func feed(_ bytes: some Sequence<UInt8>) {
        pending += bytes
        while let used = step() { pending.removeFirst(used) }
    }

    /// How many bytes were understood; nil if more are needed.
    private mutating func step() -> Int? {
        guard let first = pending.first else { return nil }
        switch first {
        case 0x1B: return escape()
        case 0x0D: (column, mustWrap) = (0, false)
        case 0x0A: lineFeed()
        case 0x08: column = max(0, column - 1)
        case 0x00..<0x20, 0x7F: break
        default: return character()
        }
        return 1
    }

    private mutating func character() -> Int? {
        let length = pending[0] < 0x80 ? 1 : pending[0] < 0xE0 ? 2 : pending[0] < 0xF0 ? 3 : 4
        guard pending.count >= length else { return nil }
        put(String(decoding: pending[..<length], as: UTF8.self))
        return length
    }

    private mutating func put(_ text: String) {
        guard let scalar = text.unicodeScalars.first else { return }
        if scalar.properties.generalCategory == .nonspacingMark {
            if column > 0 { cells[row][column - 1] += text }
            return
        }
        let size = Self.isWide(scalar) ? 2 : 1
        if mustWrap || column + size > width {
            column = 0
            lineFeed()
        }
        cells[row][column] = text
        if size == 2 { cells[row][column + 1] = Self.continued }
        column += size
        mustWrap = column >= width
        if mustWrap { column = width - 1 }
    }

    private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        (0x1100...0x115F).contains(scalar.value) || (0x2E80...0xA4CF).contains(scalar.value)
            || (0xAC00...0xD7A3).contains(scalar.value) || (0xFF01...0xFF60).contains(scalar.value)
            || scalar.properties.isEmojiPresentation
    }

    private mutating func lineFeed() {
        mustWrap = false
        guard row == height - 1 else {
            row += 1
            return
        }
        scrolled.append(Self.text(cells.removeFirst()))
        cells.append(Array(repeating: " ", count: width))
    }

    private mutating func escape() -> Int? {
        guard pending.count > 1 else { return nil }
        guard pending[1] == UInt8(ascii: "[") else { return 2 }
        guard let end = pending.dropFirst(2).firstIndex(where: { (0x40...0x7E).contains($0) }) else { return nil }
        let text = String(decoding: pending[2..<end], as: UTF8.self)
        control(pending[end], text.split(separator: ";").map { Int($0) ?? 0 })
        return end + 1
    }

    private mutating func control(_ final: UInt8, _ parameters: [Int]) {
        let count = max(1, parameters.first ?? 1)
        mustWrap = false
        switch final {
        case UInt8(ascii: "A"): row = max(0, row - count)
        case UInt8(ascii: "B"): row = min(height - 1, row + count)
        case UInt8(ascii: "C"): column = min(width - 1, column + count)
        case UInt8(ascii: "H"): (row, column) = (0, 0)
        case UInt8(ascii: "K"): clear(row, from: column)
        case UInt8(ascii: "J"):
            if parameters.first == 2 { for line in 0..<height { clear(line, from: 0) } }
            clear(row, from: column)
            for line in (row + 1)..<max(height, row + 1) { clear(line, from: 0) }
        default: break
        }
    }

    private mutating func clear(_ line: Int, from start: Int) {
        for index in start..<width { cells[line][index] = " " }
    }

    private static func text(_ cells: [String]) -> String {
        var text = cells.joined()
        while text.last == " " { text.removeLast() }
        return text
    }
}
