/// JSON, written.
package enum JSONText {
    /// In quotes; no control character is left in it.
    package static func string(_ text: String) -> String {
        var output = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\t": output += "\\t"
            case "\r": output += "\\r"
            case "\u{0}"..<" ", "\u{7F}":
                let code = String(scalar.value, radix: 16)
                output += "\\u" + String(repeating: "0", count: 4 - code.utf8.count) + code
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output + "\""
    }

    package static func string(_ text: String?) -> String { text.map { string($0) } ?? "null" }

    /// `elements` are JSON already.
    package static func array(_ elements: [String]) -> String { "[" + elements.joined(separator: ", ") + "]" }

    /// The values are JSON already.
    package static func object(_ fields: [(name: String, value: String)]) -> String {
        "{" + fields.map { string($0.name) + ": " + $0.value }.joined(separator: ", ") + "}"
    }

    /// Columns by name.
    package static func row(_ values: [(column: String, value: String?)]) -> String {
        object(values.map { ($0.column, string($0.value)) })
    }
}
