/// The text form of `boolean`: written `t` or `f`, read as generously as `boolin` does.
package enum BooleanText {
    @inline(never) package static func parse(_ text: UnsafeRawBufferPointer) throws(CodecError) -> Bool {
        let word = ASCII.trimmed(text)
        if isPrefix(word, of: "true", atLeast: 1) || isPrefix(word, of: "yes", atLeast: 1) { return true }
        if isPrefix(word, of: "false", atLeast: 1) || isPrefix(word, of: "no", atLeast: 1) { return false }
        if ASCII.matches(word, "on") || ASCII.matches(word, "1") { return true }
        if isPrefix(word, of: "off", atLeast: 2) || ASCII.matches(word, "0") { return false }
        throw .malformed(.boolean, reason: "neither true nor false")
    }

    private static func isPrefix(_ word: UnsafeRawBufferPointer, of full: StaticString, atLeast length: Int) -> Bool {
        guard word.count >= length, word.count <= full.utf8CodeUnitCount else { return false }
        for index in 0..<word.count where ASCII.lowercased(word[index]) != full.utf8Start[index] { return false }
        return true
    }
}
