extension TimeValue: CustomStringConvertible {
    package init(text: String) throws(TimeError) {
        var scanner = TimeScanner(text)
        self = try scanner.scan()
    }

    /// Reads the text as a value of this kind: `04:05` may be a time of day or an interval, and
    /// `infinity` belongs to several.
    package init(text: String, kind: Kind) throws(TimeError) {
        var value = try TimeValue(text: text)
        switch (value.kind, kind) {
        case (.time, .interval), (.date, .timestamp): value.kind = kind
        case (.timestamp, .date) where !value.isFinite, (.timestamp, .timestamptz) where !value.isFinite:
            value.kind = kind
        default: break
        }
        guard value.kind == kind else { throw .wrongKind(text: text, expected: kind.name, found: value.kind.name) }
        self = value
    }

    /// PostgreSQL's text form with `datestyle` ISO and `intervalstyle` postgres.
    package var description: String {
        if infinity != 0 { return infinity > 0 ? "infinity" : "-infinity" }
        switch kind {
        case .date: return Self.text(of: civilDate) + era
        case .time: return Self.clock(microseconds)
        case .timestamp: return Self.text(of: civilDate) + " " + Self.clock(localTimeOfDay) + era
        case .timestamptz:
            return Self.text(of: civilDate) + " " + Self.clock(localTimeOfDay) + zone(separator: ":", short: true) + era
        case .interval: return intervalText
        }
    }

    private var era: String { civilDate.year <= 0 ? " BC" : "" }

    private static func text(of date: CivilDate) -> String {
        let year = date.year > 0 ? date.year : 1 - date.year
        return "\(padded(year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
    }

    /// `HH:MM:SS` with as many places as needed.
    private static func clock(_ microseconds: Int64) -> String {
        let seconds = Int(microseconds / 1_000_000)
        var text = "\(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
        var fraction = Int(microseconds % 1_000_000)
        guard fraction > 0 else { return text }
        var places = 6
        while fraction % 10 == 0 {
            fraction /= 10
            places -= 1
        }
        text += "." + padded(fraction, places)
        return text
    }

    /// `+HH`, `+HH:MM` or `+HH:MM:SS` when `short`, else always `+HH` and minutes.
    func zone(separator: String, short: Bool) -> String {
        let seconds = Int(offset.magnitude)
        var text = (offset < 0 ? "-" : "+") + Self.padded(seconds / 3600, 2)
        if !short || seconds % 3600 != 0 { text += separator + Self.padded(seconds / 60 % 60, 2) }
        if seconds % 60 != 0 { text += separator + Self.padded(seconds % 60, 2) }
        return text
    }

    /// PostgreSQL's `EncodeInterval`: a sign is written before a positive part that follows a
    /// negative one.
    private var intervalText: String {
        var parts: [String] = []
        var isAfterNegative = false
        for (value, unit) in [(Int(months / 12), "year"), (Int(months % 12), "mon"), (Int(days), "day")]
        where value != 0 {
            let sign = isAfterNegative && value > 0 ? "+" : ""
            parts.append("\(sign)\(value) \(unit)\(value == 1 ? "" : "s")")
            isAfterNegative = value < 0
        }
        if microseconds != 0 || parts.isEmpty {
            let sign = microseconds < 0 ? "-" : (isAfterNegative ? "+" : "")
            parts.append(sign + Self.clock(microseconds == .min ? .max : abs(microseconds)))
        }
        return parts.joined(separator: " ")
    }

    static func padded(_ value: Int, _ width: Int, with fill: Character = "0") -> String {
        let digits = String(value)
        return String(repeating: fill, count: max(0, width - digits.utf8.count)) + digits
    }
}
