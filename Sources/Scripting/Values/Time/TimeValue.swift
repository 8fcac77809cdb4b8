import Glibc

/// A point in time or a span of PostgreSQL's date and time types, to the microsecond.
package struct TimeValue: Sendable, Equatable {
    package enum Kind: UInt8, Sendable, CaseIterable {
        case date, time, timestamp, timestamptz, interval

        /// The type's name.
        package var name: String {
            switch self {
            case .date: "date"
            case .time: "time"
            case .timestamp: "timestamp"
            case .timestamptz: "timestamptz"
            case .interval: "interval"
            }
        }
    }

    package var kind: Kind

    /// Since 1970-01-01 00:00 (UTC for timestamptz); since midnight for time; an interval's part
    /// below a day. 0 for infinities.
    package var microseconds: Int64

    /// 1 for `infinity`, -1 for `-infinity`, else 0.
    package var infinity: Int8 = 0

    /// Of timestamptz: seconds east of UTC in which it is shown and its days are counted.
    package var offset: Int32 = 0

    /// Of an interval: months and days, kept apart because their lengths vary.
    package var months: Int32 = 0
    package var days: Int32 = 0

    package init(_ kind: Kind, microseconds: Int64) {
        self.kind = kind
        self.microseconds = microseconds
    }

    package init(months: Int32 = 0, days: Int32 = 0, microseconds: Int64 = 0) {
        kind = .interval
        self.microseconds = microseconds
        self.months = months
        self.days = days
    }

    package static func infinite(_ kind: Kind, isPositive: Bool) -> TimeValue {
        var value = TimeValue(kind, microseconds: 0)
        value.infinity = isPositive ? 1 : -1
        return value
    }

    /// The clock's time as timestamptz in UTC.
    package static func now() -> TimeValue {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return TimeValue(.timestamptz, microseconds: Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000)
    }

    static let microsecondsPerDay: Int64 = 86_400_000_000
    /// 4713 BC, PostgreSQL's first year, and the last whole year that 64 bits of microseconds reach.
    static let years = -4712...294_246

    package var isFinite: Bool { infinity == 0 }

    /// Microseconds as the clock on the wall shows them.
    var local: Int64 { microseconds + Int64(offset) * 1_000_000 }

    /// Whole days since 1970-01-01 of the clock on the wall.
    var localDays: Int {
        Int(local.flooredQuotient(Self.microsecondsPerDay))
    }

    var localTimeOfDay: Int64 {
        local - Int64(localDays) * Self.microsecondsPerDay
    }

    var civilDate: CivilDate { CivilDate(days: localDays) }
}

/// Why a time could not be read or computed.
package enum TimeError: Error, Equatable, Sendable, CustomStringConvertible {
    case notATime(text: String)
    case noSuchDay(text: String)
    case outOfRange
    case wrongKind(text: String, expected: String, found: String)
    case unsupported(operation: String, String, String)
    case unknownFormat(String)
    case infinite(operation: String)

    package var description: String {
        switch self {
        case .notATime(let text): "\"\(text)\" is not a date, time or interval in ISO form"
        case .noSuchDay(let text): "\"\(text)\" is no day of the calendar or time of the day"
        case .outOfRange: "time out of range: years 4713 BC to 294246"
        case .wrongKind(let text, let expected, let found): "\"\(text)\" is a \(found), expected \(expected)"
        case .unsupported(let operation, let left, let right): "cannot \(operation) \(left) and \(right)"
        case .unknownFormat(let conversion): "unknown conversion \"\(conversion)\" in a time format"
        case .infinite(let operation): "infinity has no \(operation)"
        }
    }
}

extension Int64 {
    /// Rounded down; `divisor` is positive.
    func flooredQuotient(_ divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
