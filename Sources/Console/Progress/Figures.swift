/// Numbers as people read them.
enum Figures {
    /// With so many digits after the point.
    static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite, value.magnitude < 1e15 else { return "?" }
        guard digits > 0 else { return String(Int(value.rounded())) }
        let factor = (0..<digits).reduce(1) { number, _ in number * 10 }
        let scaled = Int((value.magnitude * Double(factor)).rounded())
        let fraction = String(scaled % factor)
        let sign = value < 0 && scaled > 0 ? "-" : ""
        return "\(sign)\(scaled / factor)." + String(repeating: "0", count: digits - fraction.utf8.count) + fraction
    }

    /// "999", "1.23k", "45.6M".
    static func compact(_ value: Double) -> String {
        scaled(value, by: 1000, ["", "k", "M", "G", "T", "P"])
    }

    /// "999 B", "1.23 MB"; 1 kB is 1024 bytes, as in PostgreSQL.
    static func size(_ bytes: Double) -> String {
        scaled(bytes, by: 1024, [" B", " kB", " MB", " GB", " TB", " PB"])
    }

    /// Three digits, of a number below the next unit.
    private static func scaled(_ value: Double, by step: Double, _ units: [String]) -> String {
        var rest = max(0, value)
        var index = 0
        while rest >= (step == 1000 ? 999.5 : step - 0.5), index < units.count - 1 {
            rest /= step
            index += 1
        }
        let digits = index == 0 || rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2
        return fixed(rest, digits) + units[index]
    }

    /// "0:42", "1:02:03", "4d 4h".
    static func clock(_ duration: Duration) -> String {
        let seconds = Int(min(max(0, (duration / .seconds(1)).rounded()), 1e9))
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
        if hours >= 48 { return "\(hours / 24)d \(hours % 24)h" }
        return hours > 0 ? "\(hours):\(padded(minutes)):\(padded(seconds % 60))" : "\(minutes):\(padded(seconds % 60))"
    }

    /// "1 row", "2 rows".
    static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
}
