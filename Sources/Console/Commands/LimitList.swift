import ArgumentParser

/// The value of `--limits`: `time=10s,memory=256MB`, either or both.
struct LimitList: Equatable {
    /// Zero is no limit; nil is not said.
    private(set) var time: Duration?
    /// In bytes; zero is no limit; nil is not said.
    private(set) var memory: Int?

    init(_ text: String) throws(ValidationError) {
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { throw ValidationError("'\(part)' is not time=… or memory=….") }
            try set(pair[0], pair[1])
        }
    }

    private mutating func set(_ name: Substring, _ text: Substring) throws(ValidationError) {
        switch name {
        case "time" where time == nil:
            time = Self.duration(text)
            if time == nil { throw ValidationError("'\(text)' is no time such as 500ms, 10s, 2m or 1h.") }
        case "memory" where memory == nil:
            memory = Self.bytes(text)
            if memory == nil { throw ValidationError("'\(text)' is no size such as 64MB or 1GB.") }
        case "time", "memory": throw ValidationError("'\(name)' is there twice.")
        default: throw Spelling.unknown("limit", String(name), of: ["time", "memory"])
        }
    }

    /// "500ms", "1.5s", "5m", "1h", or seconds.
    static func duration(_ text: Substring) -> Duration? {
        let units: [Substring: Double] = ["": 1, "ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600]
        guard let (number, unit) = amount(text), let factor = units[unit] else { return nil }
        let seconds = number * factor
        return seconds < 1e9 ? .milliseconds((seconds * 1000).rounded()) : nil
    }

    /// "64MB", "1GB", or bytes; 1 kB is 1024 bytes, as in PostgreSQL's settings.
    static func bytes(_ text: Substring) -> Int? {
        let units: [String: Double] = [
            "": 1, "b": 1, "kb": 1024, "mb": 1_048_576, "gb": 1_073_741_824,
        ]
        guard let (number, unit) = amount(text), let factor = units[unit.lowercased()] else { return nil }
        let bytes = number * factor
        return bytes < 1e15 ? Int(bytes) : nil
    }

    private static func amount(_ text: Substring) -> (number: Double, unit: Substring)? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let number = Double(digits) else { return nil }
        return (number, text[digits.endIndex...])
    }
}
