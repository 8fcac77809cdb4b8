import PostgresProtocol

/// A day of the proleptic Gregorian calendar, year 0 being 1 BC.
struct CivilDate: Equatable, Sendable {
    var year: Int
    /// 1 to 12.
    var month: Int
    /// 1 to 31.
    var day: Int

    init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// `days` since 1970-01-01.
    init(days: Int) {
        (year, month, day) = Calendar.civil(fromDays: days - Calendar.daysFromUnixEpoch)
    }

    /// Days since 1970-01-01.
    var days: Int {
        Calendar.days(year: year, month: month, day: day) + Calendar.daysFromUnixEpoch
    }

    var isValid: Bool {
        (1...12).contains(month) && day >= 1 && day <= Calendar.daysInMonth(year: year, month: month)
    }

    /// The same day `months` later, or the last of that month if it is shorter.
    func adding(months: Int) -> CivilDate {
        let total = year * 12 + (month - 1) + months
        let newYear = total >= 0 ? total / 12 : (total - 11) / 12
        let newMonth = total - newYear * 12 + 1
        return CivilDate(
            year: newYear, month: newMonth, day: min(day, Calendar.daysInMonth(year: newYear, month: newMonth)))
    }

    /// 1 for 1 January.
    var dayOfYear: Int {
        days - CivilDate(year: year, month: 1, day: 1).days + 1
    }

    /// ISO 8601: 1 Monday to 7 Sunday.
    var weekday: Int {
        let days = (days + 3) % 7
        return (days < 0 ? days + 7 : days) + 1
    }
}
