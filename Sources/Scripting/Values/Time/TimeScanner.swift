/// Reads PostgreSQL's ISO forms of date, time, timestamp, timestamptz and interval, and ISO 8601's.
struct TimeScanner {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ text: String) {
        var bytes = Array(text.utf8)
        while let last = bytes.last, last == 0x20 { bytes.removeLast() }
        self.bytes = bytes
        while offset < bytes.count, bytes[offset] == 0x20 { offset += 1 }
    }

    mutating func scan() throws(TimeError) -> TimeValue {
        switch String(decoding: bytes[offset...], as: UTF8.self) {
        case "infinity": return .infinite(.timestamp, isPositive: true)
        case "-infinity": return .infinite(.timestamp, isPositive: false)
        default: break
        }
        if let point = try scanPoint() { return point }
        return try scanInterval()
    }

    // MARK: Points in time

    /// nil, with nothing consumed, when the text begins with neither a date nor a plain time.
    private mutating func scanPoint() throws(TimeError) -> TimeValue? {
        let start = offset
        guard let first = digits(1...6) else {
            offset = start
            return nil
        }
        if offset - start >= 4, peek == UInt8(ascii: "-") { return try scanDate(year: first) }
        offset = start
        guard bytes.count - start >= 5, bytes[start + 2] == UInt8(ascii: ":"), bytes.count - start <= 15,
            let time = try scanClock(), offset == bytes.count
        else {
            offset = start
            return nil
        }
        return TimeValue(.time, microseconds: time)
    }

    private mutating func scanDate(year: Int) throws(TimeError) -> TimeValue {
        guard take("-"), let month = digits(2...2), take("-"), let day = digits(2...2) else { throw failure }
        var time: Int64?
        if peek == UInt8(ascii: "T") || (peek == 0x20 && offset + 1 < bytes.count && bytes[offset + 1] &- 0x30 <= 9) {
            offset += 1
            time = try scanClock()
            guard time != nil else { throw failure }
        }
        let zone = time == nil ? nil : try scanZone()
        let isBeforeChrist = takeEra()
        guard offset == bytes.count else { throw failure }
        let date = CivilDate(year: isBeforeChrist ? 1 - year : year, month: month, day: day)
        guard date.isValid, year > 0 else { throw .noSuchDay(text: text) }
        guard TimeValue.years.contains(date.year) else { throw .outOfRange }
        return assemble(date, time, zone)
    }

    private func assemble(_ date: CivilDate, _ time: Int64?, _ zone: Int32?) -> TimeValue {
        let kind: TimeValue.Kind = time == nil ? .date : (zone == nil ? .timestamp : .timestamptz)
        let shown = Int64(date.days) * TimeValue.microsecondsPerDay + (time ?? 0)
        var value = TimeValue(kind, microseconds: shown - Int64(zone ?? 0) * 1_000_000)
        value.offset = zone ?? 0
        return value
    }

    /// `HH:MM[:SS[.ffffff]]` in microseconds; nil when it is none.
    private mutating func scanClock() throws(TimeError) -> Int64? {
        guard let hour = digits(2...2), take(":"), let minute = digits(2...2) else { return nil }
        var second = 0
        var fraction: Int64 = 0
        if take(":") {
            guard let value = digits(2...2) else { return nil }
            second = value
            fraction = takeFraction() ?? 0
        }
        let total = Int64(hour * 3600 + minute * 60 + second) * 1_000_000 + fraction
        guard minute < 60, second < 61, total <= TimeValue.microsecondsPerDay else { throw .noSuchDay(text: text) }
        return total
    }

    private mutating func takeFraction() -> Int64? {
        guard peek == UInt8(ascii: ".") || peek == UInt8(ascii: ",") else { return nil }
        offset += 1
        var value: Int64 = 0
        var places = 0
        while let byte = peek, byte &- 0x30 <= 9 {
            // Past microseconds the first digit rounds.
            if places < 6 { value = value * 10 + Int64(byte &- 0x30) }
            if places == 6, byte >= UInt8(ascii: "5") { value += 1 }
            places += 1
            offset += 1
        }
        while places < 6 {
            value *= 10
            places += 1
        }
        return value
    }

    /// `Z`, `+HH`, `+HHMM`, `+HH:MM` or `+HH:MM:SS` in seconds east of UTC.
    private mutating func scanZone() throws(TimeError) -> Int32? {
        if take("Z") || take("z") { return 0 }
        guard let sign = peek, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return nil }
        offset += 1
        guard let hours = digits(2...2) else { throw failure }
        var seconds = hours * 3600
        var unit = 60
        while unit > 0, take(":") || (unit == 60 && (peek ?? 0) &- 0x30 <= 9) {
            guard let value = digits(2...2), value < 60 else { throw failure }
            seconds += value * unit
            unit /= 60
        }
        guard hours < 16 else { throw failure }
        return Int32(sign == UInt8(ascii: "-") ? -seconds : seconds)
    }

    private mutating func takeEra() -> Bool {
        guard bytes.count - offset == 3, bytes[offset...].elementsEqual(" BC".utf8) else { return false }
        offset += 3
        return true
    }

    // MARK: Intervals

    private mutating func scanInterval() throws(TimeError) -> TimeValue {
        var total = IntervalTotal()
        let isNegated = peek == UInt8(ascii: "-") && offset + 1 < bytes.count && bytes[offset + 1] == UInt8(ascii: "P")
        if isNegated { offset += 1 }
        if take("P") {
            try scanDesignated(&total)
        } else {
            try scanWords(&total)
        }
        let value = try total.value()
        return isNegated ? try value.negated() : value
    }

    /// After `P`: `1Y2M3W4DT5H6M7.8S`, each with its own sign.
    private mutating func scanDesignated(_ total: inout IntervalTotal) throws(TimeError) {
        var isTime = false
        guard offset < bytes.count else { throw failure }
        while offset < bytes.count {
            if take("T") {
                isTime = true
                guard offset < bytes.count else { throw failure }
            }
            guard let number = signedNumber(), let designator = peek else { throw failure }
            offset += 1
            let unit: String
            switch (designator, isTime) {
            case (UInt8(ascii: "Y"), false): unit = "year"
            case (UInt8(ascii: "M"), false): unit = "mon"
            case (UInt8(ascii: "W"), false): unit = "week"
            case (UInt8(ascii: "D"), false): unit = "day"
            case (UInt8(ascii: "H"), true): unit = "hour"
            case (UInt8(ascii: "M"), true): unit = "min"
            case (UInt8(ascii: "S"), true): unit = "sec"
            default: throw failure
            }
            guard total.add(number, unit) else { throw failure }
        }
    }

    /// `1 year 2 mons -3 days +04:05:06.7`, also with `ago` at the end.
    private mutating func scanWords(_ total: inout IntervalTotal) throws(TimeError) {
        var found = false
        while offset < bytes.count {
            if bytes[offset...].elementsEqual("ago".utf8), found {
                offset = bytes.count
                total.negate()
                return
            }
            let start = offset
            let sign = peek
            if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { offset += 1 }
            if let clock = scanLongClock() {
                total.microseconds += Int128(sign == UInt8(ascii: "-") ? -clock : clock)
            } else {
                offset = start
                guard let number = signedNumber() else { throw failure }
                skipBlanks()
                guard total.add(number, word()) else { throw failure }
            }
            found = true
            skipBlanks()
        }
        guard found else { throw failure }
    }

    /// `H…H:MM[:SS[.f]]`: hours have no limit in an interval.
    private mutating func scanLongClock() -> Int64? {
        guard let hours = digits(1...9), take(":"), let minutes = digits(2...2), minutes < 60 else { return nil }
        var seconds = 0
        var fraction: Int64 = 0
        if take(":") {
            guard let value = digits(2...2), value < 60 else { return nil }
            seconds = value
            fraction = takeFraction() ?? 0
        }
        return Int64(hours * 3600 + minutes * 60 + seconds) * 1_000_000 + fraction
    }

    /// In millionths.
    private mutating func signedNumber() -> Int128? {
        let isNegative = peek == UInt8(ascii: "-")
        if isNegative || peek == UInt8(ascii: "+") { offset += 1 }
        guard let whole = digits(1...15) else { return nil }
        let value = Int128(whole) * 1_000_000 + Int128(takeFraction() ?? 0)
        return isNegative ? -value : value
    }

    // MARK: Bytes

    private var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: byte) else { return false }
        offset += 1
        return true
    }

    private mutating func skipBlanks() {
        while peek == 0x20 { offset += 1 }
    }

    private mutating func digits(_ count: ClosedRange<Int>) -> Int? {
        let start = offset
        var value = 0
        while let byte = peek, byte &- 0x30 <= 9, offset - start < count.upperBound {
            value = value * 10 + Int(byte &- 0x30)
            offset += 1
        }
        return offset - start >= count.lowerBound ? value : nil
    }

    private mutating func word() -> String {
        let start = offset
        while let byte = peek, (byte | 0x20) &- 0x61 < 26 { offset += 1 }
        return String(decoding: bytes[start..<offset], as: UTF8.self).lowercased()
    }

    private var text: String { String(decoding: bytes.prefix(60), as: UTF8.self) }

    private var failure: TimeError { .notATime(text: text) }
}

/// Sums up an interval's parts before their sizes are checked.
struct IntervalTotal {
    var months: Int128 = 0
    var days: Int128 = 0
    var microseconds: Int128 = 0

    /// `millionths` of a unit; false for an unknown one. Fractions of a month are days of 30 to the
    /// month, of a year months, of a week or day the time below.
    mutating func add(_ millionths: Int128, _ unit: String) -> Bool {
        switch unit {
        case "year", "years", "y", "yr", "yrs": months += millionths * 12 / 1_000_000
        case "mon", "mons", "month", "months":
            months += millionths / 1_000_000
            addDays(millionths % 1_000_000 * 30)
        case "week", "weeks", "w": addDays(millionths * 7)
        case "day", "days", "d": addDays(millionths)
        case "hour", "hours", "h", "hr", "hrs": microseconds += millionths * 3600
        case "min", "mins", "minute", "minutes", "m": microseconds += millionths * 60
        case "sec", "secs", "second", "seconds", "s": microseconds += millionths
        case "ms", "msec", "msecs", "millisecond", "milliseconds": microseconds += millionths / 1000
        case "us", "usec", "usecs", "microsecond", "microseconds": microseconds += millionths / 1_000_000
        default: return false
        }
        return true
    }

    private mutating func addDays(_ millionths: Int128) {
        days += millionths / 1_000_000
        microseconds += millionths % 1_000_000 * 86_400
    }

    mutating func negate() {
        months = -months
        days = -days
        microseconds = -microseconds
    }

    func value() throws(TimeError) -> TimeValue {
        guard let months = Int32(exactly: months), let days = Int32(exactly: days),
            let microseconds = Int64(exactly: microseconds)
        else { throw .outOfRange }
        return TimeValue(months: months, days: days, microseconds: microseconds)
    }
}
