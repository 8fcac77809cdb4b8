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

    /// `elements` are JSON already.
    static func array(_ elements: [String]) -> String {
        "[" + elements.joined(separator: ", ") + "]"
    }

    /// The values are JSON already.
    static func object(_ fields: [(name: String, value: String)]) -> String {
        "{" + fields.map { string($0.name) + ": " + $0.value }.joined(separator: ", ") + "}"
    }
}
