/// Reads `{…}`: once over the whole for the shape, which also checks the syntax, then element by element.
struct ArrayTextScanner {
    private let text: UnsafeRawBufferPointer
    private let kind: ValueKind
    private let delimiter: UInt8
    private(set) var position: Int
    /// Where the first brace is, after the bounds.
    private(set) var bodyStart = 0

    init(_ text: UnsafeRawBufferPointer, element: OID, position: Int = 0) {
        self.text = text
        kind = .array(of: element)
        delimiter = Self.delimiter(element)
        self.position = position
    }

    /// What separates elements: a comma for every type but `box`.
    static func delimiter(_ element: OID) -> UInt8 {
        UInt8(ascii: element == .box ? ";" : ",")
    }

    private var current: UInt8 { position < text.count ? text[position] : 0 }

    private mutating func skipSpaces() {
        while position < text.count, ASCII.isSpace(text[position]) { position &+= 1 }
    }

    private func malformed(_ reason: String) -> CodecError { .malformed(kind, reason: reason) }
}

// MARK: - The shape

extension ArrayTextScanner {
    mutating func measure() throws(CodecError) -> ArrayShape {
        skipSpaces()
        let declared = try bounds()
        bodyStart = position
        let lengths = try measureBody()
        skipSpaces()
        guard position == text.count else { throw malformed("characters after the closing brace") }
        let shape = ArrayShape(lengths: lengths, lowerBounds: declared.isEmpty ? nil : declared.map(\.lowerBound))
        guard let shape, declared.isEmpty || lengths == declared.map(\.count) else {
            throw malformed("bounds do not match the elements")
        }
        return shape
    }

    /// `[l:u]…=`, or nothing. `[n]` means from 1.
    private mutating func bounds() throws(CodecError) -> [Range<Int>] {
        var bounds: [Range<Int>] = []
        while current == UInt8(ascii: "[") {
            position += 1
            var lower = 1
            var upper = try bound()
            if current == UInt8(ascii: ":") {
                position += 1
                lower = upper
                upper = try bound()
            }
            guard current == UInt8(ascii: "]"), upper >= lower else { throw malformed("invalid bounds") }
            position += 1
            bounds.append(lower..<(upper + 1))
        }
        guard !bounds.isEmpty else { return [] }
        skipSpaces()
        guard current == UInt8(ascii: "=") else { throw malformed("expected \"=\" after the bounds") }
        position += 1
        skipSpaces()
        return bounds
    }

    private mutating func bound() throws(CodecError) -> Int {
        let start = position
        if current == UInt8(ascii: "-") || current == UInt8(ascii: "+") { position += 1 }
        while ASCII.isDigit(current) { position += 1 }
        return Int(try IntegerText.parse(UnsafeRawBufferPointer(rebasing: text[start..<position]), .int32))
    }

    /// Lengths by depth, outermost first. Every brace of one depth must hold as many.
    private mutating func measureBody() throws(CodecError) -> [Int] {
        var lengths: [Int] = []
        var counts: [Int] = []
        var elementDepth: Int?
        var expectsItem = true
        guard current == UInt8(ascii: "{") else { throw malformed("expected \"{\"") }
        repeat {
            skipSpaces()
            guard position < text.count else { throw malformed("closing brace missing") }
            let byte = current
            if expectsItem, byte == UInt8(ascii: "{") {
                guard counts.count < elementDepth ?? ArrayShape.maximumDimensions else {
                    throw malformed("dimensions do not match")
                }
                position += 1
                if !counts.isEmpty { counts[counts.count - 1] += 1 }
                counts.append(0)
            } else if byte == UInt8(ascii: "}"), !expectsItem || counts.last == 0 {
                if try close(&counts, &lengths, elementDepth) { return [] }
                expectsItem = false
            } else if expectsItem, byte != UInt8(ascii: "}"), byte != delimiter {
                guard elementDepth == nil || elementDepth == counts.count else {
                    throw malformed("dimensions do not match")
                }
                elementDepth = counts.count
                counts[counts.count - 1] += 1
                try skipElement()
                expectsItem = false
            } else if !expectsItem, byte == delimiter {
                position += 1
                expectsItem = true
            } else {
                throw malformed("unexpected character between elements")
            }
        } while !counts.isEmpty
        return lengths
    }

    /// True for the empty array, `{}`.
    private mutating func close(
        _ counts: inout [Int], _ lengths: inout [Int], _ elementDepth: Int?
    ) throws(CodecError) -> Bool {
        position += 1
        let count = counts.removeLast()
        guard count > 0, let elementDepth else {
            guard counts.isEmpty, lengths.isEmpty, count == 0 else { throw malformed("dimensions do not match") }
            return true
        }
        if lengths.isEmpty { lengths = [Int](repeating: 0, count: elementDepth) }
        let depth = counts.count
        guard depth < elementDepth, lengths[depth] == 0 || lengths[depth] == count else {
            throw malformed("dimensions do not match")
        }
        lengths[depth] = count
        return false
    }

    private mutating func skipElement() throws(CodecError) {
        guard current == UInt8(ascii: "\"") else { return try skipBare() }
        position += 1
        while position < text.count, current != UInt8(ascii: "\"") {
            position += current == UInt8(ascii: "\\") ? 2 : 1
        }
        guard position < text.count else { throw malformed("closing quote missing") }
        position += 1
    }

    private mutating func skipBare() throws(CodecError) {
        while position < text.count, current != delimiter, current != UInt8(ascii: "}") {
            guard current != UInt8(ascii: "\""), current != UInt8(ascii: "{") else {
                throw malformed("quote or brace inside an element")
            }
            position += current == UInt8(ascii: "\\") ? 2 : 1
        }
        position = min(position, text.count)
    }
}

// MARK: - Elements

extension ArrayTextScanner {
    /// The next element of a text that `measure` has accepted.
    mutating func nextElement(_ scratch: inout ByteBuffer) throws(CodecError) -> ArrayElement {
        while position < text.count, isBetweenElements(current) { position &+= 1 }
        guard position < text.count else { throw malformed("closing brace missing") }
        return current == UInt8(ascii: "\"") ? .value(quotedElement(&scratch)) : bareElement(&scratch)
    }

    private func isBetweenElements(_ byte: UInt8) -> Bool {
        byte == delimiter || byte == UInt8(ascii: "{") || byte == UInt8(ascii: "}") || ASCII.isSpace(byte)
    }

    private mutating func quotedElement(_ scratch: inout ByteBuffer) -> UnsafeRawBufferPointer {
        position &+= 1
        let start = position
        while position < text.count, current != UInt8(ascii: "\""), current != UInt8(ascii: "\\") { position &+= 1 }
        if current == UInt8(ascii: "\"") {
            position &+= 1
            return UnsafeRawBufferPointer(rebasing: text[start..<(position - 1)])
        }
        scratch.removeAll()
        scratch.append(UnsafeRawBufferPointer(rebasing: text[start..<position]))
        while position < text.count, current != UInt8(ascii: "\"") { appendUnescaped(&scratch) }
        position &+= 1
        return scratch.bytes
    }

    private mutating func bareElement(_ scratch: inout ByteBuffer) -> ArrayElement {
        let start = position
        var hasEscape = false
        while position < text.count, current != delimiter, current != UInt8(ascii: "}") {
            if current == UInt8(ascii: "\\") { hasEscape = true }
            position &+= current == UInt8(ascii: "\\") ? 2 : 1
        }
        position = min(position, text.count)
        guard hasEscape else {
            let element = ASCII.trimmed(UnsafeRawBufferPointer(rebasing: text[start..<position]))
            return ASCII.matches(element, "null") ? .null : .value(element)
        }
        let end = position
        position = start
        scratch.removeAll()
        var kept = 0
        while position < end {
            let isPlainSpace = ASCII.isSpace(current)
            appendUnescaped(&scratch)
            if !isPlainSpace { kept = scratch.count }
        }
        scratch.truncate(to: kept)
        return .value(scratch.bytes)
    }

    private mutating func appendUnescaped(_ scratch: inout ByteBuffer) {
        if current == UInt8(ascii: "\\"), position + 1 < text.count { position &+= 1 }
        scratch.append(current)
        position &+= 1
    }
}
