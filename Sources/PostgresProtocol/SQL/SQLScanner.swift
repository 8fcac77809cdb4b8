/// Splits a SQL text into statements at the same places as psql (`psqlscan.l`): quotes of every kind, nested comments,
/// parentheses and `BEGIN … END` bodies of functions hide a `;`. Statements without a token are left out.
///
/// It does not check SQL: whatever it does not know is a token of one byte.
package struct SQLScanner: Sequence, IteratorProtocol {
    private let bytes: [UInt8]
    private var position = 0
    private var state = StatementState()
    private var tailOpen = OpenConstruct.nothing

    package init(_ sql: String) {
        bytes = Array(sql.utf8)
    }

    package init(utf8: [UInt8]) {
        bytes = utf8
    }

    /// Every statement of a text, the last one perhaps unterminated.
    package static func statements(in sql: String) -> [SQLStatement] {
        Array(SQLScanner(sql))
    }

    /// At most one statement: the only kind of text that can be prepared or take parameters.
    package static func isSingle(_ sql: String) -> Bool {
        var scanner = SQLScanner(sql)
        _ = scanner.next()
        return scanner.next() == nil
    }

    /// What is open at the end of the text, `;` or not: a comment that is not part of a statement counts.
    package static func openAtEnd(of sql: String) -> OpenConstruct {
        var scanner = SQLScanner(sql)
        var last: SQLStatement?
        while let statement = scanner.next() { last = statement }
        if scanner.tailOpen != .nothing { return scanner.tailOpen }
        return last?.open ?? .nothing
    }

    /// True when a REPL can send what it has: every statement ends with `;`, only spaces and comments follow.
    package static func isComplete(_ sql: String) -> Bool {
        var scanner = SQLScanner(sql)
        while let statement = scanner.next() {
            if !statement.isTerminated { return false }
        }
        return scanner.tailOpen == .nothing
    }

    package mutating func next() -> SQLStatement? {
        state = StatementState()
        while position < bytes.count {
            if skipBlank() { continue }
            guard position < bytes.count else { break }
            let start = position
            if bytes[start] == UInt8(ascii: ";"), state.isAtTopLevel {
                position += 1
                if let statement = finish(terminated: true) { return statement }
                state = StatementState()
                continue
            }
            let open = takeToken()
            state.note(tokenAt: start, end: position)
            if open != .nothing { state.open = open }
        }
        return finish(terminated: false)
    }

    private func finish(terminated: Bool) -> SQLStatement? {
        guard let start = state.start else { return nil }
        return SQLStatement(
            range: start..<state.end, isTerminated: terminated, keyword: state.keyword(bytes),
            open: terminated ? .nothing : (tailOpen == .nothing ? state.openAtEnd : tailOpen), end: position,
            highestParameter: state.highestParameter)
    }
}

// MARK: - Spaces and comments

extension SQLScanner {
    /// Skips one run of spaces or one comment; false if there was neither.
    private mutating func skipBlank() -> Bool {
        let byte = bytes[position]
        if ASCII.isSpace(byte) {
            position += 1
            return true
        }
        if byte == UInt8(ascii: "-"), peek(1) == UInt8(ascii: "-") {
            position = Self.endOfLine(bytes, from: position)
            return true
        }
        guard byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") else { return false }
        skipBlockComment()
        return true
    }

    private mutating func skipBlockComment() {
        var depth = 0
        while position < bytes.count {
            switch (bytes[position], peek(1)) {
            case (UInt8(ascii: "/"), UInt8(ascii: "*")):
                depth += 1
                position += 2
            case (UInt8(ascii: "*"), UInt8(ascii: "/")):
                depth -= 1
                position += 2
                if depth == 0 { return }
            default:
                position += 1
            }
        }
        tailOpen = .comment
    }

    private func peek(_ distance: Int) -> UInt8? {
        position + distance < bytes.count ? bytes[position + distance] : nil
    }

    private static func endOfLine(_ bytes: [UInt8], from start: Int) -> Int {
        var position = start
        while position < bytes.count, bytes[position] != 0x0A, bytes[position] != 0x0D { position += 1 }
        return position
    }
}

// MARK: - Tokens

extension SQLScanner {
    /// Moves over one token; tells what is open if the text ends inside it.
    private mutating func takeToken() -> OpenConstruct {
        let byte = bytes[position]
        switch byte {
        case UInt8(ascii: "'"):
            return takeString(escapes: false)
        case UInt8(ascii: "\""):
            return takeQuotedName()
        case UInt8(ascii: "$"):
            return takeDollar()
        case UInt8(ascii: "e"), UInt8(ascii: "E"):
            guard peek(1) == UInt8(ascii: "'") else { return takeWord() }
            position += 1
            return takeString(escapes: true)
        case _ where Self.startsName(byte):
            return takeWord()
        case _ where ASCII.isDigit(byte):
            takeNumber()
        case UInt8(ascii: "("):
            state.parentheses += 1
            position += 1
        case UInt8(ascii: ")"):
            state.parentheses = Swift.max(0, state.parentheses - 1)
            position += 1
        default:
            position += 1
        }
        return .nothing
    }

    /// From the opening quote past the closing one. `E'…'` goes on over a line break into the next `'…'`.
    private mutating func takeString(escapes: Bool) -> OpenConstruct {
        position += 1
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if escapes, byte == UInt8(ascii: "\\") {
                position = Swift.min(position + 1, bytes.count)
            } else if byte == UInt8(ascii: "'") {
                if peek(0) == UInt8(ascii: "'") {
                    position += 1
                } else if escapes, let next = continuedString(from: position) {
                    position = next + 1
                } else {
                    return .nothing
                }
            }
        }
        return .singleQuote
    }

    /// Offset of a quote that continues the string which ended at `start`: blanks with a line break lie between.
    private func continuedString(from start: Int) -> Int? {
        var index = start
        var sawLineBreak = false
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "'") { return sawLineBreak ? index : nil }
            if byte == UInt8(ascii: "-"), index + 1 < bytes.count, bytes[index + 1] == byte {
                index = Self.endOfLine(bytes, from: index)
                continue
            }
            guard ASCII.isSpace(byte) else { return nil }
            if byte == 0x0A || byte == 0x0D { sawLineBreak = true }
            index += 1
        }
        return nil
    }

    private mutating func takeQuotedName() -> OpenConstruct {
        position += 1
        while position < bytes.count {
            position += 1
            guard bytes[position - 1] == UInt8(ascii: "\"") else { continue }
            guard peek(0) == UInt8(ascii: "\"") else { return .nothing }
            position += 1
        }
        return .doubleQuote
    }

    /// `$tag$…$tag$`, or a lone `$` (a parameter's number follows as a token of its own).
    private mutating func takeDollar() -> OpenConstruct {
        var end = position + 1
        if end < bytes.count, Self.startsName(bytes[end]) {
            while end < bytes.count, Self.startsName(bytes[end]) || ASCII.isDigit(bytes[end]) { end += 1 }
        }
        guard end < bytes.count, bytes[end] == UInt8(ascii: "$") else {
            position += 1
            noteParameter()
            return .nothing
        }
        let delimiter = bytes[position...end]
        position = end + 1
        while position + delimiter.count <= bytes.count {
            if bytes[position] == UInt8(ascii: "$"),
                bytes[position..<(position + delimiter.count)].elementsEqual(delimiter)
            {
                position += delimiter.count
                return .nothing
            }
            position += 1
        }
        position = bytes.count
        return .dollarQuote(tag: String(decoding: delimiter.dropFirst().dropLast(), as: UTF8.self))
    }

    /// The digits behind a `$`, which are a token of their own.
    private mutating func noteParameter() {
        var number = 0
        var end = position
        while end < bytes.count, ASCII.isDigit(bytes[end]), number <= Int(UInt16.max) {
            number = number * 10 + Int(bytes[end] - UInt8(ascii: "0"))
            end += 1
        }
        state.highestParameter = Swift.max(state.highestParameter, number)
    }

    private mutating func takeWord() -> OpenConstruct {
        let start = position
        while position < bytes.count, Self.continuesName(bytes[position]) { position += 1 }
        state.note(word: start..<position, of: bytes)
        return .nothing
    }

    /// Digits and one letter that sticks to them, so that the `e` of `1e'x'` does not begin an `E'…'`.
    private mutating func takeNumber() {
        while position < bytes.count, ASCII.isDigit(bytes[position]) || bytes[position] == UInt8(ascii: ".") {
            position += 1
        }
        if position < bytes.count, Self.startsName(bytes[position]) { position += 1 }
    }

    private static func startsName(_ byte: UInt8) -> Bool {
        ASCII.isLetter(byte) || byte == UInt8(ascii: "_") || byte >= 0x80
    }

    /// It may stand behind the first byte of a name or key word.
    package static func continuesName(_ byte: UInt8) -> Bool {
        startsName(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "$")
    }
}
