/// One statement of a SQL text, as `SQLScanner` found it.
package struct SQLStatement: Equatable, Sendable {
    /// Bytes of the UTF-8 text from the first token to the end of the last one, without the `;`.
    package var range: Range<Int>
    /// A `;` follows. Without one, the text ended first.
    package var isTerminated: Bool
    /// The first word, in upper case; empty if the statement begins with something else, `(` for instance.
    package var keyword: String
    /// What was still open when the text ended.
    package var open: OpenConstruct
    /// Byte offset after the `;`, or the end of the text.
    package var end: Int
    /// The greatest `n` of its `$n`, 0 if it has none.
    package var highestParameter: Int
}

/// What keeps a `;` from ending a statement: a REPL shows it in its prompt, as psql does.
package enum OpenConstruct: Equatable, Sendable {
    case nothing
    case singleQuote
    case doubleQuote
    case dollarQuote(tag: String)
    case comment
    case parenthesis
    /// The body of `CREATE FUNCTION … BEGIN ATOMIC … END`.
    case body

    /// psql's `%R` in its second prompt: `-` between two lines of a statement.
    package var promptCharacter: Character {
        switch self {
        case .nothing, .body: "-"
        case .singleQuote: "'"
        case .doubleQuote: "\""
        case .dollarQuote: "$"
        case .comment: "*"
        case .parenthesis: "("
        }
    }
}
