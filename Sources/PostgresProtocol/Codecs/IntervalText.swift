/// The binary form of `interval`, in its three independent parts.
package struct IntervalValue: Equatable, Sendable {
    package var months: Int32
    package var days: Int32
    package var microseconds: Int64

    package init(months: Int32 = 0, days: Int32 = 0, microseconds: Int64 = 0) {
        self.months = months
        self.days = days
        self.microseconds = microseconds
    }

    /// From PostgreSQL 17 on.
    package static let infinity = IntervalValue(months: .max, days: .max, microseconds: .max)
    package static let negativeInfinity = IntervalValue(months: .min, days: .min, microseconds: .min)
}

/// The text form of `interval` with `IntervalStyle` postgres.
enum IntervalText {
    static func append(_ value: IntervalValue, to buffer: inout ByteBuffer) {
        if value == .infinity { return buffer.append("infinity") }
        if value == .negativeInfinity { return buffer.append("-infinity") }
        var isFirst = true
        var followsNegative = false
        for (count, unit) in [
            (Int64(value.months / 12), "year"), (Int64(value.months % 12), "mon"), (Int64(value.days), "day"),
        ] where count != 0 {
            if !isFirst { buffer.append(UInt8(ascii: " ")) }
            if followsNegative, count > 0 { buffer.append(UInt8(ascii: "+")) }
            IntegerText.append(count, to: &buffer)
            buffer.append(" ")
            buffer.append(unit)
            if count != 1 { buffer.append(UInt8(ascii: "s")) }
            isFirst = false
            followsNegative = count < 0
        }
        guard isFirst || value.microseconds != 0 else { return }
        if !isFirst { buffer.append(UInt8(ascii: " ")) }
        appendTime(value.microseconds, explicitPlus: followsNegative, to: &buffer)
    }

    private static func appendTime(_ microseconds: Int64, explicitPlus: Bool, to buffer: inout ByteBuffer) {
        if microseconds < 0 {
            buffer.append(UInt8(ascii: "-"))
        } else if explicitPlus {
            buffer.append(UInt8(ascii: "+"))
        }
        let magnitude = microseconds.magnitude
        let seconds = magnitude / 1_000_000
        let hours = seconds / 3600
        if hours < 10 { buffer.append(UInt8(ascii: "0")) }
        IntegerText.append(Int64(hours), to: &buffer)
        let space = buffer.space(for: 16)
        var length = DateTimeText.write(separated: seconds / 60 % 60, to: space, at: 0)
        length = DateTimeText.write(separated: seconds % 60, to: space, at: length)
        length = DateTimeText.write(fraction: magnitude % 1_000_000, to: space, at: length)
        buffer.advance(by: length)
    }

    /// Reads the output above, whole counts of the usual units (`3 weeks`, `2 hours 5 min`), `ago`, and `infinity`. Other
    /// input that the server would take (fractions of units, ISO 8601 durations) is an error here: send it as text.
    static func parse(_ text: UnsafeRawBufferPointer) throws(CodecError) -> IntervalValue {
        let trimmed = ASCII.trimmed(text)
        if ASCII.matches(trimmed, "infinity") { return .infinity }
        if ASCII.matches(trimmed, "-infinity") { return .negativeInfinity }
        var reader = IntervalReader(trimmed)
        return try reader.read()
    }
}

private struct IntervalReader {
    private let text: UnsafeRawBufferPointer
    private var position = 0
    private var months: Int64 = 0
    private var days: Int64 = 0
    private var microseconds: Int64 = 0

    init(_ text: UnsafeRawBufferPointer) {
        self.text = text
    }

    mutating func read() throws(CodecError) -> IntervalValue {
        var isEmpty = true
        if position < text.count, text[position] == UInt8(ascii: "@") { position += 1 }
        while skipSpaces() {
            if takeAgo() {
                guard !isEmpty, !skipSpaces() else { throw malformed() }
                return try value(sign: -1)
            }
            try takePart()
            isEmpty = false
        }
        guard !isEmpty else { throw malformed() }
        return try value(sign: 1)
    }

    private func value(sign: Int64) throws(CodecError) -> IntervalValue {
        guard let months = Int32(exactly: months * sign), let days = Int32(exactly: days * sign) else { throw overflow }
        return IntervalValue(months: months, days: days, microseconds: microseconds &* sign)
    }

    /// `[+-]N unit` or `[+-]HH:MM[:SS[.f]]`.
    private mutating func takePart() throws(CodecError) {
        let isNegative = text[position] == UInt8(ascii: "-")
        if isNegative || text[position] == UInt8(ascii: "+") { position += 1 }
        let count = try number()
        if position < text.count, text[position] == UInt8(ascii: ":") {
            return try add(try clock(hours: count), times: isNegative ? -1 : 1, to: \.microseconds)
        }
        _ = skipSpaces()
        try add(count, of: takeWord(), isNegative)
    }

    private mutating func add(_ count: Int64, of unit: String, _ isNegative: Bool) throws(CodecError) {
        let signed = isNegative ? -count : count
        switch unit {
        case "microsecond", "microseconds", "us", "usec", "usecs": try add(signed, times: 1, to: \.microseconds)
        case "millisecond", "milliseconds", "ms", "msec", "msecs": try add(signed, times: 1000, to: \.microseconds)
        case "second", "seconds", "sec", "secs", "s": try add(signed, times: 1_000_000, to: \.microseconds)
        case "minute", "minutes", "min", "mins", "m": try add(signed, times: 60_000_000, to: \.microseconds)
        case "hour", "hours", "hr", "hrs", "h": try add(signed, times: 3_600_000_000, to: \.microseconds)
        case "day", "days", "d": try add(signed, times: 1, to: \.days)
        case "week", "weeks", "w": try add(signed, times: 7, to: \.days)
        case "month", "months", "mon", "mons": try add(signed, times: 1, to: \.months)
        case "year", "years", "yr", "yrs", "y": try add(signed, times: 12, to: \.months)
        default: throw malformed()
        }
    }

    private mutating func add(
        _ count: Int64, times factor: Int64, to part: WritableKeyPath<IntervalReader, Int64>
    ) throws(CodecError) {
        let (product, overflow1) = count.multipliedReportingOverflow(by: factor)
        let (sum, overflow2) = self[keyPath: part].addingReportingOverflow(product)
        guard !overflow1, !overflow2, sum != .min else { throw overflow }
        self[keyPath: part] = sum
    }

    private mutating func clock(hours: Int64) throws(CodecError) -> Int64 {
        guard hours <= 2_562_047_788 else { throw overflow }
        position += 1
        let minutes = try number()
        var seconds: Int64 = 0
        var fraction: Int64 = 0
        if position < text.count, text[position] == UInt8(ascii: ":") {
            position += 1
            seconds = try number()
            fraction = takeFraction()
        }
        guard minutes < 60, seconds <= 60 else { throw malformed() }
        let (base, overflow1) = (hours * 3600 + minutes * 60 + seconds).multipliedReportingOverflow(by: 1_000_000)
        let (sum, overflow2) = base.addingReportingOverflow(fraction)
        guard !overflow1, !overflow2 else { throw overflow }
        return sum
    }

    private mutating func takeFraction() -> Int64 {
        guard position < text.count, text[position] == UInt8(ascii: ".") else { return 0 }
        position += 1
        let start = position
        while position < text.count, ASCII.isDigit(text[position]) { position += 1 }
        return DateTimeReader.microseconds(ofFraction: UnsafeRawBufferPointer(rebasing: text[start..<position]))
    }

    private mutating func number() throws(CodecError) -> Int64 {
        let start = position
        var value: Int64 = 0
        while position < text.count, ASCII.isDigit(text[position]) {
            guard value < 100_000_000_000_000_000 else { throw overflow }
            value = value * 10 + Int64(text[position] &- 0x30)
            position += 1
        }
        guard position > start else { throw malformed() }
        return value
    }

    /// False at the end of the text.
    private mutating func skipSpaces() -> Bool {
        while position < text.count, ASCII.isSpace(text[position]) { position += 1 }
        return position < text.count
    }

    private mutating func takeWord() -> String {
        let start = position
        while position < text.count, ASCII.isLetter(text[position]) { position += 1 }
        return String(decoding: text[start..<position].map(ASCII.lowercased), as: UTF8.self)
    }

    private mutating func takeAgo() -> Bool {
        let start = position
        guard takeWord() == "ago" else {
            position = start
            return false
        }
        return true
    }

    private func malformed() -> CodecError {
        .malformed(.interval, reason: "expected whole counts of units and hours:minutes:seconds")
    }

    private var overflow: CodecError {
        .outOfRange(.interval, lowest: "-178000000 years", highest: "178000000 years")
    }
}
