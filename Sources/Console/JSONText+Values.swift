import PostgresProtocol

/// What the documents of commands are made of.
extension JSONText {
    static func number(_ number: Int?) -> String { number.map(String.init) ?? "null" }

    /// In seconds, with milliseconds.
    static func seconds(_ duration: Duration) -> String { Figures.fixed(duration / .seconds(1), 3) }

    static func strings(_ texts: [String]) -> String { array(texts.map { string($0) }) }
}
