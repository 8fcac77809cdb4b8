extension TimeValue {
    /// A point in time plus an interval or a time of day; interval plus interval. A sum of times of
    /// day starts again at midnight.
    /// Months first (a day past the end of the month becomes its last), then days, then the rest.
    package func adding(_ other: TimeValue) throws(TimeError) -> TimeValue {
        switch (kind, other.kind) {
        case (.interval, .interval):
            return try Self.interval(
                Int64(months) + Int64(other.months), Int64(days) + Int64(other.days),
                microseconds.addingReportingOverflow(other.microseconds))
        case (.interval, _): return try other.adding(self)
        case (.date, .time): return try Self.checked(.timestamp, microseconds, other.microseconds, offset: 0)
        case (.time, .interval), (.time, .time):
            let (sum, overflow) = microseconds.addingReportingOverflow(other.microseconds)
            guard !overflow else { throw .outOfRange }
            return TimeValue(
                .time, microseconds: sum - sum.flooredQuotient(Self.microsecondsPerDay) * Self.microsecondsPerDay)
        case (.timestamp, .time), (.timestamptz, .time): return try adding(TimeValue(microseconds: other.microseconds))
        case (.date, .interval), (.timestamp, .interval), (.timestamptz, .interval): return try moved(by: other)
        default: throw .unsupported(operation: "add", kind.name, other.kind.name)
        }
    }

    /// The opposite of `adding` for an interval; the interval between two points in time.
    package func subtracting(_ other: TimeValue) throws(TimeError) -> TimeValue {
        if other.kind == .interval { return try adding(other.negated()) }
        let isComparable =
            kind == other.kind
            || (kind != .timestamptz && other.kind != .timestamptz && kind != .time && other.kind != .time)
        guard isComparable, kind != .interval else {
            throw .unsupported(operation: "subtract", kind.name, other.kind.name)
        }
        guard isFinite, other.isFinite else { throw .infinite(operation: "difference") }
        let (difference, overflow) = microseconds.subtractingReportingOverflow(other.microseconds)
        guard !overflow else { throw .outOfRange }
        if kind == .time { return TimeValue(microseconds: difference) }
        let wholeDays = difference / Self.microsecondsPerDay
        return TimeValue(days: Int32(clamping: wholeDays), microseconds: difference % Self.microsecondsPerDay)
    }

    /// A date `count` days later.
    package func adding(days count: Int64) throws(TimeError) -> TimeValue {
        guard isFinite else { return self }
        let (distance, overflow) = count.multipliedReportingOverflow(by: Self.microsecondsPerDay)
        guard !overflow else { throw .outOfRange }
        return try Self.checked(kind, microseconds, distance, offset: offset)
    }

    package func negated() throws(TimeError) -> TimeValue {
        guard kind == .interval else { throw .unsupported(operation: "negate", kind.name, "nothing") }
        return try Self.interval(-Int64(months), -Int64(days), Int64(0).subtractingReportingOverflow(microseconds))
    }

    /// An interval times a number; fractions of months and days flow down, 30 days to the month.
    package func multiplied(by factor: Double) throws(TimeError) -> TimeValue {
        guard kind == .interval else { throw .unsupported(operation: "multiply", kind.name, "number") }
        let exactMonths = Double(months) * factor
        let exactDays = Double(days) * factor + (exactMonths - exactMonths.rounded(.towardZero)) * 30
        let rest = (exactDays - exactDays.rounded(.towardZero)) * Double(Self.microsecondsPerDay)
        guard let months = Int32(exactly: exactMonths.rounded(.towardZero)),
            let days = Int32(exactly: exactDays.rounded(.towardZero)),
            let microseconds = Int64(exactly: (Double(microseconds) * factor + rest).rounded())
        else { throw .outOfRange }
        return TimeValue(months: months, days: days, microseconds: microseconds)
    }

    /// -1, 0 or 1; intervals with 30 days to the month and 24 hours to the day, as PostgreSQL does.
    package func compared(to other: TimeValue) throws(TimeError) -> Int {
        let isComparable: Bool
        switch (kind, other.kind) {
        case (.date, .timestamp), (.timestamp, .date): isComparable = true
        default: isComparable = kind == other.kind
        }
        guard isComparable else { throw .unsupported(operation: "compare", kind.name, other.kind.name) }
        if infinity != 0 || other.infinity != 0 { return (Int(infinity) - Int(other.infinity)).signum() }
        if kind == .interval {
            return span == other.span ? 0 : (span < other.span ? -1 : 1)
        }
        return microseconds == other.microseconds ? 0 : (microseconds < other.microseconds ? -1 : 1)
    }

    private var span: Int128 {
        (Int128(months) * 30 + Int128(days)) * Int128(Self.microsecondsPerDay) + Int128(microseconds)
    }

    /// Seconds of an interval with 30 days to the month, or since 1970.
    package var totalSeconds: Double {
        kind == .interval ? Double(span) / 1e6 : Double(microseconds) / 1e6
    }

    /// The beginning of the unit: `year`, `month`, `week`, `day`, `hour`, `minute` or `second`; nil for another.
    package func truncated(to unit: String) -> TimeValue? {
        guard kind != .interval, isFinite else { return self }
        let step: Int64
        switch unit {
        case "second": step = 1_000_000
        case "minute": step = 60_000_000
        case "hour": step = 3_600_000_000
        case "day": step = Self.microsecondsPerDay
        case "week": return atMidnight(of: CivilDate(days: localDays - civilDate.weekday + 1))
        case "month": return atMidnight(of: CivilDate(year: civilDate.year, month: civilDate.month, day: 1))
        case "year": return atMidnight(of: CivilDate(year: civilDate.year, month: 1, day: 1))
        default: return nil
        }
        var result = self
        result.microseconds -= local - local.flooredQuotient(step) * step
        return result
    }

    private func atMidnight(of date: CivilDate) -> TimeValue {
        var result = self
        result.microseconds = Int64(date.days) * Self.microsecondsPerDay - Int64(offset) * 1_000_000
        return result
    }

    private func moved(by interval: TimeValue) throws(TimeError) -> TimeValue {
        guard isFinite else { return self }
        let date = civilDate.adding(months: Int(interval.months))
        let days = Int64(date.days) + Int64(interval.days)
        let (midnight, overflow) = days.multipliedReportingOverflow(by: Self.microsecondsPerDay)
        guard !overflow else { throw .outOfRange }
        let (base, baseOverflow) = midnight.addingReportingOverflow(localTimeOfDay - Int64(offset) * 1_000_000)
        guard !baseOverflow else { throw .outOfRange }
        let isWholeDays = interval.microseconds == 0
        return try Self.checked(
            kind == .date && !isWholeDays ? .timestamp : kind, base, interval.microseconds, offset: offset)
    }

    private static func checked(_ kind: Kind, _ base: Int64, _ distance: Int64, offset: Int32) throws(TimeError)
        -> TimeValue
    {
        let (sum, overflow) = base.addingReportingOverflow(distance)
        guard !overflow else { throw .outOfRange }
        var value = TimeValue(kind, microseconds: sum)
        value.offset = offset
        guard years.contains(CivilDate(days: Int(sum.flooredQuotient(microsecondsPerDay))).year) else {
            throw .outOfRange
        }
        return value
    }

    private static func interval(
        _ months: Int64, _ days: Int64, _ microseconds: (partialValue: Int64, overflow: Bool)
    ) throws(TimeError) -> TimeValue {
        guard let months = Int32(exactly: months), let days = Int32(exactly: days), !microseconds.overflow else {
            throw .outOfRange
        }
        return TimeValue(months: months, days: days, microseconds: microseconds.partialValue)
    }
}
