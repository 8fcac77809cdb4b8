/// Reads the ISO forms of date and time types: PostgreSQL's own output, ISO 8601, `infinity` and `epoch`.
///
/// A `timestamptz` or `timetz` without an offset is taken as UTC. As in PostgreSQL, types without a zone ignore an offset
/// and `date` ignores a time. Names of time zones and of months are refused.
struct DateTimeReader {
    private let kind: ValueKind
    private let text: UnsafeRawBufferPointer
    private var position = 0

    private init(_ text: UnsafeRawBufferPointer, _ kind: ValueKind) {
        self.text = ASCII.trimmed(text)
        self.kind = kind
    }

    /// Days from 2000-01-01.
    static func date(_ text: UnsafeRawBufferPointer) throws(CodecError) -> Int32 {
        var reader = DateTimeReader(text, .date)
        if let special = reader.special() {
            return special == .max ? .max : special == .min ? .min : Int32(special / Calendar.microsecondsPerDay)
        }
        let (days, _, _) = try reader.dateAndTime()
        guard (-2_451_545...2_145_031_948).contains(days) else {
            throw .outOfRange(.date, lowest: "4714-11-24 BC", highest: "5874897-12-31")
        }
        return Int32(days)
    }

    /// Microseconds from 2000-01-01, UTC for `timestamptz`.
    static func timestamp(_ text: UnsafeRawBufferPointer, _ kind: ValueKind) throws(CodecError) -> Int64 {
        var reader = DateTimeReader(text, kind)
        if let special = reader.special() { return special }
        let (days, time, east) = try reader.dateAndTime()
        let micros = Int128(days) * 86_400_000_000 + Int128(time)
        let value = kind == .timestamptz ? micros - Int128(east) * 1_000_000 : micros
        guard value >= -211_813_488_000_000_000, value < 9_223_371_331_200_000_000 else {
            throw .outOfRange(kind, lowest: "4714-11-24 00:00:00 BC", highest: "294276-12-31 23:59:59.999999")
        }
        return Int64(value)
    }

    /// Microseconds from midnight, and seconds east of UTC.
    static func time(
        _ text: UnsafeRawBufferPointer, _ kind: ValueKind
    ) throws(CodecError) -> (microseconds: Int64, secondsEast: Int) {
        var reader = DateTimeReader(text, kind)
        let time = try reader.time()
        let east = try reader.offset()
        guard reader.isAtEnd else { throw reader.malformed("unexpected characters after the time") }
        return (time, east)
    }
}

// MARK: - Parts

extension DateTimeReader {
    private var isAtEnd: Bool { position == text.count }

    private var current: UInt8 { position < text.count ? text[position] : 0 }

    private func malformed(_ reason: String) -> CodecError { .malformed(kind, reason: reason) }

    @inline(__always) private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard current == UInt8(ascii: byte), !isAtEnd else { return false }
        position &+= 1
        return true
    }

    private func special() -> Int64? {
        guard let first = text.first, !ASCII.isDigit(first) else { return nil }
        if ASCII.matches(text, "infinity") || ASCII.matches(text, "+infinity") { return .max }
        if ASCII.matches(text, "-infinity") { return .min }
        return ASCII.matches(text, "epoch")
            ? -Int64(Calendar.daysFromUnixEpoch) * Calendar.microsecondsPerDay : nil
    }

    /// Days, microseconds and seconds east of UTC, with the era at the very end.
    private mutating func dateAndTime() throws(CodecError) -> (days: Int, time: Int64, secondsEast: Int) {
        var (year, month, day) = try date()
        var clock: Int64 = 0
        var east = 0
        if takeTimeSeparator() {
            clock = try time()
            east = try offset()
        }
        if try era() { year = 1 - year }
        guard isAtEnd else { throw malformed("unexpected characters after the value") }
        guard (1...12).contains(month), day >= 1, day <= Calendar.daysInMonth(year: year, month: month) else {
            throw malformed("no such day")
        }
        return (Calendar.days(year: year, month: month, day: day), clock, east)
    }

    /// `YYYY-MM-DD` or `YYYYMMDD`; the year may have up to seven digits.
    private mutating func date() throws(CodecError) -> (Int, Int, Int) {
        let (first, count) = digits(atMost: 8)
        if count == 8 { return (first / 10_000, first / 100 % 100, first % 100) }
        guard count >= 4, take("-") else { throw malformed("expected a date as year-month-day") }
        let (month, monthDigits) = digits(atMost: 2)
        guard monthDigits > 0, take("-") else { throw malformed("expected a date as year-month-day") }
        let (day, dayDigits) = digits(atMost: 2)
        guard dayDigits > 0, first > 0 else { throw malformed("expected a date as year-month-day") }
        return (first, month, day)
    }

    /// A space or `T` that is followed by a digit.
    private mutating func takeTimeSeparator() -> Bool {
        var next = position
        if current | 0x20 == UInt8(ascii: "t") { next += 1 }
        while next < text.count, ASCII.isSpace(text[next]) { next += 1 }
        guard next > position, next < text.count, ASCII.isDigit(text[next]) else { return false }
        position = next
        return true
    }

    /// `HH:MM[:SS[.f]]`, `HHMM` or `HHMMSS[.f]`, in microseconds.
    private mutating func time() throws(CodecError) -> Int64 {
        let (first, count) = digits(atMost: 6)
        var (hour, minute, second) = (first, 0, 0)
        switch count {
        case 6: (hour, minute, second) = (first / 10_000, first / 100 % 100, first % 100)
        case 4: (hour, minute) = (first / 100, first % 100)
        case 1, 2:
            guard take(":") else { throw malformed("expected a time as hour:minute") }
            minute = try pair()
            if take(":") { second = try pair() }
        default: throw malformed("expected a time as hour:minute")
        }
        let fraction = take(".") ? self.fraction() : 0
        let total = (Int64(hour) * 3600 + Int64(minute) * 60 + Int64(second)) * 1_000_000 + fraction
        guard hour <= 24, minute < 60, second <= 60, total <= Calendar.microsecondsPerDay else {
            throw malformed("no such time of day")
        }
        return total
    }

    private mutating func pair() throws(CodecError) -> Int {
        let (value, count) = digits(atMost: 2)
        guard count > 0 else { throw malformed("expected two digits") }
        return value
    }

    private mutating func fraction() -> Int64 {
        var end = position
        while end < text.count, ASCII.isDigit(text[end]) { end += 1 }
        defer { position = end }
        return DateTimeReader.microseconds(ofFraction: UnsafeRawBufferPointer(rebasing: text[position..<end]))
    }

    /// Digits after a point as microseconds, rounded as the server rounds them: half to even, of the nearest double.
    static func microseconds(ofFraction digits: UnsafeRawBufferPointer) -> Int64 {
        var value = 0
        var scale = 1.0
        for digit in digits.prefix(15) {
            value = value * 10 + Int(digit &- 0x30)
            scale *= 10
        }
        // Adding 2^52 leaves no bit for a fraction; what is added is taken off again.
        let rounded = Double(value) / scale * 1_000_000 + 0x1p52 - 0x1p52
        return Int64(rounded)
    }

    private mutating func digits(atMost limit: Int) -> (value: Int, count: Int) {
        var value = 0
        let start = position
        while position &- start < limit, ASCII.isDigit(current) {
            value = value &* 10 &+ Int(current &- 0x30)
            position &+= 1
        }
        return (value, position - start)
    }

    /// `Z`, `UTC`, `GMT`, `±HH`, `±HH:MM`, `±HHMM`, `±HH:MM:SS`; nothing is UTC.
    private mutating func offset() throws(CodecError) -> Int {
        let start = position
        while ASCII.isSpace(current) { position += 1 }
        if ASCII.isLetter(current), takeWord("z") || takeWord("utc") || takeWord("gmt") { return 0 }
        let isNegative = current == UInt8(ascii: "-")
        guard isNegative || current == UInt8(ascii: "+") else {
            position = start
            return 0
        }
        position += 1
        let east = try unsignedOffset()
        guard east < 16 * 3600 else { throw malformed("time zone offset out of range") }
        return isNegative ? -east : east
    }

    private mutating func unsignedOffset() throws(CodecError) -> Int {
        let (first, count) = digits(atMost: 6)
        switch count {
        case 6: return first / 10_000 * 3600 + first / 100 % 100 * 60 + first % 100
        case 3, 4: return first / 100 * 3600 + first % 100 * 60
        case 1, 2:
            guard take(":") else { return first * 3600 }
            let minutes = try pair()
            let seconds = take(":") ? try pair() : 0
            guard minutes < 60, seconds < 60 else { throw malformed("time zone offset out of range") }
            return first * 3600 + minutes * 60 + seconds
        default: throw malformed("expected a time zone offset")
        }
    }

    private mutating func takeWord(_ word: StaticString) -> Bool {
        let end = position + word.utf8CodeUnitCount
        guard end <= text.count, ASCII.matches(UnsafeRawBufferPointer(rebasing: text[position..<end]), word),
            end == text.count || !ASCII.isLetter(text[end])
        else { return false }
        position = end
        return true
    }

    /// True for BC.
    private mutating func era() throws(CodecError) -> Bool {
        guard !isAtEnd else { return false }
        while ASCII.isSpace(current) { position += 1 }
        if takeWord("bc") { return true }
        _ = takeWord("ad")
        return false
    }
}
