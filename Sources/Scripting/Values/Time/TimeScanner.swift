/// Reads PostgreSQL's ISO forms of date, time, timestamp, timestamptz and interval, and ISO 8601's.
struct TimeScanner {
    let bytes: [UInt8]
    var offset = 0

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
    mutating func scanPoint() throws(TimeError) -> TimeValue? {
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

    mutating func scanDate(year: Int) throws(TimeError) -> TimeValue {
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

    func assemble(_ date: CivilDate, _ time: Int64?, _ zone: Int32?) -> TimeValue {
        let kind: TimeValue.Kind = time == nil ? .date : (zone == nil ? .timestamp : .timestamptz)
        let shown = Int64(date.days) * TimeValue.microsecondsPerDay + (time ?? 0)
        var value = TimeValue(kind, microseconds: shown - Int64(zone ?? 0) * 1_000_000)
        value.offset = zone ?? 0
        return value
    }

    /// `HH:MM[:SS[.ffffff]]` in microseconds; nil when it is none.
    mutating func scanClock() throws(TimeError) -> Int64? {
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

    mutating func takeFraction() -> Int64? {
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
    mutating func scanZone() throws(TimeError) -> Int32? {
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

    mutating func takeEra() -> Bool {
        guard bytes.count - offset == 3, bytes[offset...].elementsEqual(" BC".utf8) else { return false }
        offset += 3
        return true
    }

    // MARK: Bytes

    var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: byte) else { return false }
        offset += 1
        return true
    }

    mutating func skipBlanks() {
        while peek == 0x20 { offset += 1 }
    }

    mutating func digits(_ count: ClosedRange<Int>) -> Int? {
        let start = offset
        var value = 0
        while let byte = peek, byte &- 0x30 <= 9, offset - start < count.upperBound {
            value = value * 10 + Int(byte &- 0x30)
            offset += 1
        }
        return offset - start >= count.lowerBound ? value : nil
    }

    mutating func word() -> String {
        let start = offset
        while let byte = peek, (byte | 0x20) &- 0x61 < 26 { offset += 1 }
        return String(decoding: bytes[start..<offset], as: UTF8.self).lowercased()
    }

    var text: String { String(decoding: bytes.prefix(60), as: UTF8.self) }

    var failure: TimeError { .notATime(text: text) }
}
