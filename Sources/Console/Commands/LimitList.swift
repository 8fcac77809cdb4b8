import ArgumentParser

/// The value of `--limits`: `time=10s,memory=256MB`, either or both.
struct LimitList: ExpressibleByArgument, Equatable {
    /// Zero is no limit; nil is not said.
    private(set) var time: Duration?
    /// In bytes; zero is no limit; nil is not said.
    private(set) var memory: Int?

    init?(argument: String) {
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { return nil }
            switch pair[0] {
            case "time":
                guard time == nil, let value = Self.duration(pair[1]) else { return nil }
                time = value
            case "memory":
                guard memory == nil, let value = Self.bytes(pair[1]) else { return nil }
                memory = value
            default: return nil
            }
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
