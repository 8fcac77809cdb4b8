/// Finds in a line what a message quotes: `no column "emial"`, `near '='`, `global 'pirnt'`.
enum QuotedName {
    /// Characters of the first quoted text that stands in the line by itself.
    static func range(in line: String, namedBy message: String) -> Range<Int>? {
        let characters = Array(line)
        if message.hasSuffix("near <eof>") { return characters.count..<characters.count }
        for name in names(in: message) {
            if let range = range(of: Array(name), in: characters) { return range }
        }
        return nil
    }

    private static func names(in message: String) -> [Substring] {
        // `rh.pipeline "shop", option "tables": unknown option "x"`: what is wrong, then where it is, nearest first.
        if message.hasPrefix("rh."), let border = message.firstRange(of: "\": ") {
            return quoted(message[border.upperBound...]) + quoted(message[...border.lowerBound]).reversed()
        }
        return quoted(message[...])
    }

    private static func quoted(_ text: Substring) -> [Substring] {
        text.matches(of: /"([^"\n]{1,80})"|'([^'\n]{1,80})'/).compactMap { $0.1 ?? $0.2 }
            .filter { $0 != "?" && !$0.allSatisfy(\.isWhitespace) }
    }

    private static func range(of name: [Character], in line: [Character]) -> Range<Int>? {
        guard let first = name.first, let last = name.last, line.count >= name.count else { return nil }
        for start in 0...(line.count - name.count) where line[start] == first {
            let end = start + name.count
            guard line[start..<end].elementsEqual(name) else { continue }
            let continuesBefore = start > 0 && isWord(line[start - 1]) && isWord(first)
            let continuesAfter = end < line.count && isWord(line[end]) && isWord(last)
            if !continuesBefore, !continuesAfter { return start..<end }
        }
        return nil
    }

    private static func isWord(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_"
    }
}
