import PostgresProtocol

/// What `explain` prints.
enum ErrorGuideView {
    static func json(_ guides: [ErrorGuide]) -> String {
        let objects = guides.map { guide in
            JSONText.object([
                ("code", JSONText.string(guide.code)), ("meaning", JSONText.string(guide.meaning)),
                ("action", JSONText.string(guide.action)),
            ])
        }
        return JSONText.array(objects) + "\n"
    }

    /// As README has it.
    static func markdown(_ guides: [ErrorGuide]) -> String {
        let rows = guides.map { "| \($0.code) | \(cell($0.meaning)) | \(cell($0.action)) |\n" }
        return "| code | what it means | what helps |\n| --- | --- | --- |\n" + rows.joined()
    }

    private static func cell(_ text: String) -> String {
        text.replacing("|", with: "\\|").replacing("<", with: "&lt;").replacing("*", with: "\\*")
    }

    /// - Parameter width: columns of the window.
    static func text(_ guides: [ErrorGuide], width: Int) -> String {
        guides.map { guide in
            let meaning = wrapped(guide.meaning, first: guide.code + "  ", rest: "        ", width)
            let action = wrapped(guide.action, first: "  help: ", rest: "        ", width)
            return (meaning + action).joined(separator: "\n") + "\n"
        }
        .joined(separator: "\n")
    }

    private static func wrapped(_ text: String, first: String, rest: String, _ width: Int) -> [String] {
        var lines: [String] = []
        var line = first
        var isEmpty = true
        for word in text.split(separator: " ") {
            if !isEmpty, line.count + 1 + word.count > min(width, widest) {
                lines.append(line)
                (line, isEmpty) = (rest, true)
            }
            line += isEmpty ? word : " " + word
            isEmpty = false
        }
        return lines + [line]
    }

    /// Longer lines are hard to read.
    private static let widest = 100
}
