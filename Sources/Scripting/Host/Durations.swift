import LuaRuntime

/// Spans of time as scripts write them: seconds as a number, or "250ms", "30s", "5m", "2h", "1d".
enum Durations {
    private static let units: [String: Double] = [
        "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400,
    ]

    static func read(_ text: String) -> Duration? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let value = Double(digits) else { return nil }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let factor = unit.isEmpty ? 1 : units[String(unit)] else { return nil }
        return seconds(value * factor)
    }

    /// nil unless the span is at least zero and below a thousand years.
    static func seconds(_ value: Double) -> Duration? {
        value >= 0 && value < 3.2e10 ? .seconds(value) : nil
    }

    /// The argument or option at `index`.
    static func read(at index: Int32, of stack: LuaStack) -> Duration? {
        if let number = stack.number(at: index) { return seconds(number) }
        return stack.string(at: index).flatMap(read)
    }

    static let form = "a duration (\"250ms\", \"30s\", \"5m\", or seconds)"
}
