/// Takes the fields of one line of COPY text (tab between fields, `\N` for NULL, backslash escapes) one by one.
package struct CopyTextReader {
    private let line: UnsafeRawBufferPointer
    private var position = 0
    private var field = 0
    /// The line's last field has been taken.
    package private(set) var isAtEnd = false

    private static let tab = UInt8(ascii: "\t")
    private static let backslash = UInt8(ascii: "\\")

    /// A line with or without its line feed. An empty line is one empty field.
    package init(_ line: UnsafeRawBufferPointer) {
        let hasLineFeed = line.last == 0x0A
        self.line = hasLineFeed ? UnsafeRawBufferPointer(rebasing: line[..<(line.count - 1)]) : line
    }

    /// `\.` alone: the end of the data in a file.
    package var isEndMarker: Bool {
        line.count == 2 && line[0] == Self.backslash && line[1] == UInt8(ascii: ".")
    }

    /// Writes the next field, unescaped, to `target`, which has room for the rest of the line. Returns its length, -1 for
    /// NULL, nil after the last field.
    package mutating func next(into target: UnsafeMutableRawPointer) throws(CopyError) -> Int? {
        guard !isAtEnd else { return nil }
        if takeNull() { return -1 }
        guard let source = line.baseAddress else { return takeEnd(0) }
        var written = 0
        let end = line.count
        while position < end {
            // Eight bytes at once: unescaping never grows, so `target` has room for as many as are left in the line.
            if end &- position >= 8 {
                let word = (source + position).loadUnaligned(as: UInt64.self)
                (target + written).storeBytes(of: word, as: UInt64.self)
                let special = Self.marks(word, Self.tab) | Self.marks(word, Self.backslash)
                let plain = special == 0 ? 8 : special.littleEndian.trailingZeroBitCount >> 3
                position &+= plain
                written &+= plain
                if special == 0 { continue }
            }
            let byte = source.load(fromByteOffset: position, as: UInt8.self)
            position &+= 1
            if byte == Self.tab {
                field &+= 1
                return written
            }
            let value = byte == Self.backslash ? try takeEscape() : byte
            target.storeBytes(of: value, toByteOffset: written, as: UInt8.self)
            written &+= 1
        }
        return takeEnd(written)
    }

    /// How many fields are left.
    package mutating func countRest() -> Int {
        var count = isAtEnd ? 0 : 1
        while position < line.count {
            if line[position] == Self.tab { count += 1 }
            position += line[position] == Self.backslash ? 2 : 1
        }
        return count
    }

    private mutating func takeEnd(_ written: Int) -> Int {
        isAtEnd = true
        return written
    }

    private mutating func takeNull() -> Bool {
        guard line.count &- position >= 2, line[position] == Self.backslash, line[position &+ 1] == UInt8(ascii: "N")
        else { return false }
        let after = position &+ 2
        guard after == line.count || line[after] == Self.tab else { return false }
        isAtEnd = after == line.count
        position = min(after &+ 1, line.count)
        field &+= 1
        return true
    }

    /// The high bit of every byte of `word` that equals `byte`; exact up to the first one.
    @inline(__always) private static func marks(_ word: UInt64, _ byte: UInt8) -> UInt64 {
        let difference = word ^ (0x0101_0101_0101_0101 &* UInt64(byte))
        return (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
    }

    private mutating func takeEscape() throws(CopyError) -> UInt8 {
        guard position < line.count else { throw .truncatedEscape(field: field) }
        let byte = line[position]
        position &+= 1
        switch byte {
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "f"): return 0x0C
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "v"): return 0x0B
        case UInt8(ascii: "x"): return takeHexadecimal() ?? byte
        case 0x30...0x37: return takeOctal(byte &- 0x30)
        default: return byte
        }
    }

    private mutating func takeHexadecimal() -> UInt8? {
        guard position < line.count, var value = ASCII.hexadecimalValue(line[position]) else { return nil }
        position &+= 1
        if position < line.count, let digit = ASCII.hexadecimalValue(line[position]) {
            value = value << 4 | digit
            position &+= 1
        }
        return value
    }

    private mutating func takeOctal(_ first: UInt8) -> UInt8 {
        var value = first
        for _ in 0..<2 {
            guard position < line.count, line[position] & 0xF8 == 0x30 else { break }
            value = value << 3 | (line[position] & 7)
            position &+= 1
        }
        return value
    }
}
