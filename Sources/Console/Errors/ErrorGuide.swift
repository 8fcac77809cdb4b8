/// What an error's code means, and what to do about it: what `replhost explain` tells.
struct ErrorGuide {
    let code: String
    let meaning: String
    let action: String

    init(_ code: String, _ meaning: String, _ action: String) {
        self.code = code
        self.meaning = meaning
        self.action = action
    }

    /// By code.
    static let all = [console, scripts, databases, pipelines, runs, changes].flatMap(\.self)
        .sorted { $0.code < $1.code }

    /// Also for a code as people write it: `rh2104`, `2104`, or as it stands in a message, `error[RH2104]`.
    static func find(_ text: String) -> ErrorGuide? {
        let code = canonical(text)
        return all.first { $0.code == code }
    }

    /// The code that was most likely meant.
    static func suggestion(for text: String) -> String? {
        Spelling.nearest(canonical(text), of: all.map(\.code))
    }

    private static func canonical(_ text: String) -> String {
        var code = text.uppercased()[...]
        if let bracket = code.lastIndex(of: "[") { code = code[bracket...].dropFirst() }
        if let bracket = code.firstIndex(of: "]") { code = code[..<bracket] }
        return code.first?.isNumber == true ? "RH" + code : String(code)
    }
}
