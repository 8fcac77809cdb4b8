/// A text of one or several lines, and the place in it where things happen.
struct EditBuffer: Equatable {
    private(set) var characters: [Character] = []
    /// From 0 to the number of characters.
    private(set) var cursor = 0

    init(_ text: String = "") {
        characters = Array(text)
        cursor = characters.count
    }

    var text: String { String(characters) }
    var isEmpty: Bool { characters.isEmpty }
    var isAtEnd: Bool { cursor == characters.count }

    // MARK: Changing

    /// A combining mark joins the character before it.
    mutating func insert(_ text: String) {
        let start = cursor > 0 ? cursor - 1 : 0
        let joined = Array(String(characters[start..<cursor]) + text)
        characters.replaceSubrange(start..<cursor, with: joined)
        cursor = start + joined.count
    }

    /// Puts `text` in the place of some characters, the cursor behind it.
    mutating func replace(_ range: Range<Int>, with text: String) {
        characters.removeSubrange(range)
        cursor = range.lowerBound
        insert(text)
    }

    /// Takes characters out; what they were.
    @discardableResult
    mutating func remove(_ range: Range<Int>) -> String {
        let removed = String(characters[range])
        characters.removeSubrange(range)
        cursor = range.lowerBound
        return removed
    }

    mutating func transpose() {
        guard cursor > 0, characters.count > 1 else { return }
        let second = isAtEnd ? cursor - 1 : cursor
        guard second > 0, characters[second] != "\n", characters[second - 1] != "\n" else { return }
        characters.swapAt(second - 1, second)
        cursor = second + 1
    }

    mutating func move(to position: Int) { cursor = min(max(0, position), characters.count) }

    // MARK: Places

    var lineStart: Int { (characters[..<cursor].lastIndex(of: "\n") ?? -1) + 1 }

    var lineEnd: Int { characters[cursor...].firstIndex(of: "\n") ?? characters.count }

    /// Behind the next run of letters and digits.
    var wordEnd: Int {
        var position = cursor
        while position < characters.count, !Self.isWord(characters[position]) { position += 1 }
        while position < characters.count, Self.isWord(characters[position]) { position += 1 }
        return position
    }

    var wordStart: Int { start { Self.isWord($0) } }

    /// Of what stands between blanks.
    var blankWordStart: Int { start { !$0.isWhitespace } }

    private func start(_ isPart: (Character) -> Bool) -> Int {
        var position = cursor
        while position > 0, !isPart(characters[position - 1]) { position -= 1 }
        while position > 0, isPart(characters[position - 1]) { position -= 1 }
        return position
    }

    private static func isWord(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_"
    }

    /// The same column in the line above, nil in the first one.
    var above: Int? {
        let start = lineStart
        guard start > 0 else { return nil }
        let previous = (characters[..<(start - 1)].lastIndex(of: "\n") ?? -1) + 1
        return min(previous + cursor - start, start - 1)
    }

    var below: Int? {
        let end = lineEnd
        guard end < characters.count else { return nil }
        let next = end + 1
        let nextEnd = characters[next...].firstIndex(of: "\n") ?? characters.count
        return min(next + cursor - lineStart, nextEnd)
    }
}
