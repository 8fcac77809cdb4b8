/// What `SQLScanner` knows of the statement it is reading: depths, and the words that make it a routine's definition.
struct StatementState {
    var start: Int?
    var end = 0
    var parentheses = 0
    var open = OpenConstruct.nothing
    var highestParameter = 0
    private var bodies = 0
    private var firstWord: Range<Int>?
    private var words = 0
    /// CREATE [OR REPLACE] FUNCTION | PROCEDURE: how far the first words are that.
    private var routine = RoutineProgress.nothing

    private enum RoutineProgress {
        case nothing, create, or, replace, routine
    }

    var isAtTopLevel: Bool { parentheses == 0 && bodies == 0 }

    var openAtEnd: OpenConstruct {
        if open != .nothing { return open }
        if parentheses > 0 { return .parenthesis }
        return bodies > 0 ? .body : .nothing
    }

    /// The word that the statement begins with, in upper case.
    func keyword(_ bytes: [UInt8]) -> String {
        guard let firstWord else { return "" }
        return String(decoding: bytes[firstWord], as: UTF8.self).uppercased()
    }

    mutating func note(tokenAt start: Int, end: Int) {
        if self.start == nil { self.start = start }
        self.end = end
    }

    mutating func note(word: Range<Int>, of bytes: [UInt8]) {
        if start == nil { firstWord = word }
        words += 1
        guard words <= 4 || routine == .routine else { return }
        bytes.withUnsafeBytes { raw in
            let text = UnsafeRawBufferPointer(rebasing: raw[word])
            if routine != .routine {
                advance(text)
            } else if parentheses == 0 {
                trackBody(text)
            }
        }
    }

    /// The first words decide; quoted names and signs between them do not count, as in psql.
    private mutating func advance(_ word: UnsafeRawBufferPointer) {
        switch routine {
        case .nothing where words == 1 && ASCII.matches(word, "create"): routine = .create
        case .create where words == 2 && ASCII.matches(word, "or"): routine = .or
        case .or where words == 3 && ASCII.matches(word, "replace"): routine = .replace
        case .create where words == 2, .replace where words == 4:
            if ASCII.matches(word, "function") || ASCII.matches(word, "procedure") { routine = .routine }
        default: break
        }
    }

    private mutating func trackBody(_ word: UnsafeRawBufferPointer) {
        if ASCII.matches(word, "begin") {
            bodies += 1
        } else if ASCII.matches(word, "case") {
            // CASE also ends with END, which matters inside a body only.
            if bodies > 0 { bodies += 1 }
        } else if ASCII.matches(word, "end") {
            bodies = max(0, bodies - 1)
        }
    }
}
