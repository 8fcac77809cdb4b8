/// libpq's message about a failed connect, taken apart.
///
/// libpq keeps no result of a failed connect, hence no fields. With verbose errors its message has the SQLSTATE:
/// `… failed: FATAL:  28P01: password authentication failed for user "x"` and a line `LOCATION:  …`.
struct ConnectMessage: Equatable {
    /// Without SQLSTATE and `LOCATION` lines; lines joined by "; ".
    var reason: String
    /// Of the last server that answered.
    var sqlstate: String?

    init(libpqMessage: String) {
        var kept: [String] = []
        for line in libpqMessage.split(whereSeparator: \.isNewline) where !line.hasPrefix("LOCATION:") {
            let (text, code) = Self.withoutCode(String(line))
            sqlstate = code ?? sqlstate
            kept.append(String(text.drop(while: \.isWhitespace)))
        }
        reason = kept.isEmpty ? "no reason given" : kept.joined(separator: "; ")
    }

    /// Removes `28P01: ` after the severity (`FATAL:  `).
    private static func withoutCode(_ line: String) -> (text: String, code: String?) {
        guard let gap = line.firstRange(of: ":  ") else { return (line, nil) }
        let code = line[gap.upperBound...].prefix(5)
        let rest = line[code.endIndex...]
        guard code.utf8.count == 5, code.utf8.allSatisfy(isCodeByte), rest.hasPrefix(": ") else { return (line, nil) }
        return (line[..<gap.upperBound] + String(rest.dropFirst(2)), String(code))
    }

    private static func isCodeByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }
}
