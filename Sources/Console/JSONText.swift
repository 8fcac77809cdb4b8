/// The little JSON that commands print.
enum JSONText {
    static func string(_ text: String) -> String {
        var output = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\u{0}"..<" ":
                let code = String(scalar.value, radix: 16)
                output += "\\u" + String(repeating: "0", count: 4 - code.utf8.count) + code
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output + "\""
    }

    static func string(_ text: String?) -> String { text.map { string($0) } ?? "null" }

    static func number(_ number: Int?) -> String { number.map(String.init) ?? "null" }

    /// In seconds, with milliseconds.
    static func seconds(_ duration: Duration) -> String { Figures.fixed(duration / .seconds(1), 3) }

    static func strings(_ texts: [String]) -> String { array(texts.map { string($0) }) }

    /// Columns by name.
    static func row(_ values: [(column: String, value: String?)]) -> String {
        object(values.map { ($0.column, string($0.value)) })
    }

    /// `elements` are JSON already.
    static func array(_ elements: [String]) -> String {
        "[" + elements.joined(separator: ", ") + "]"
    }

    /// The values are JSON already.
    static func object(_ fields: [(name: String, value: String)]) -> String {
        "{" + fields.map { string($0.name) + ": " + $0.value }.joined(separator: ", ") + "}"
    }
}
