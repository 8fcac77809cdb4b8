import PostgresProtocol

/// Finds its way in SQL that the server has deparsed: what is in quotes or parentheses is passed over.
struct DeparsedText {
    let bytes: [UInt8]

    init(_ text: String) { bytes = Array(text.utf8) }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// Where `word` begins, outside quotes and parentheses.
    func find(_ word: String, from start: Int = 0) -> Int? {
        let word = Array(word.utf8)
        var position = start
        while position + word.count <= bytes.count {
            if bytes[position...].starts(with: word) { return position }
            position = skip(position)
        }
        return nil
    }

    /// The elements of the list whose parenthesis opens at or after `start`, and the positions of both parentheses.
    func list(from start: Int = 0) -> (elements: [String], open: Int, close: Int)? {
        guard let open = find("(", from: start) else { return nil }
        var elements: [String] = []
        var position = open + 1
        var begin = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: ")"):
                elements.append(text(begin..<position))
                return (elements, open, position)
            case UInt8(ascii: ","):
                elements.append(text(begin..<position))
                // A space follows the comma.
                begin = position + 2
                position += 1
            default: position = skip(position)
            }
        }
        return nil
    }

    /// The position after the quoted text, the parentheses or the byte at `position`.
    private func skip(_ position: Int) -> Int {
        switch bytes[position] {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return skipQuoted(position)
        case UInt8(ascii: "("): return skipParentheses(position)
        default: return position + 1
        }
    }

    private func skipQuoted(_ start: Int) -> Int {
        let quote = bytes[start]
        let hasEscapes = quote == UInt8(ascii: "'") && start > 0 && bytes[start - 1] == UInt8(ascii: "E")
        var position = start + 1
        while position < bytes.count, bytes[position] != quote {
            position += hasEscapes && bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        return position + 1
    }

    private func skipParentheses(_ start: Int) -> Int {
        var position = start + 1
        while position < bytes.count, bytes[position] != UInt8(ascii: ")") { position = skip(position) }
        return position + 1
    }
}
