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

    mutating func addDays(_ millionths: Int128) {
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
