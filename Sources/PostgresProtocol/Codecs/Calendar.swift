/// The proleptic Gregorian calendar in days from 2000-01-01, PostgreSQL's epoch. Year 0 is 1 BC.
package enum Calendar {
    package static let microsecondsPerDay: Int64 = 86_400_000_000
    /// From 1970-01-01 to 2000-01-01.
    package static let daysFromUnixEpoch = 10_957

    /// Days of 16 000 cycles of 400 years: more than an Int32 of days goes back.
    @inlinable package static var shiftInDays: Int { 16_000 * 146_097 }
    @inlinable package static var shiftInYears: Int { 6_400_000 }

    /// Year, month and day of any Int32 of days. (Hinnant, "chrono-compatible low-level date algorithms")
    @inlinable package static func civil(fromDays days: Int) -> (year: Int, month: Int, day: Int) {
        // 730425 days lie between 0000-03-01 and 2000-01-01.
        let shifted = UInt64(bitPattern: Int64(days &+ 730_425 &+ shiftInDays))
        let era = shifted / 146_097
        let dayOfEra = shifted &- era &* 146_097
        let leapless = dayOfEra &- dayOfEra / 1460 &+ dayOfEra / 36_524 &- dayOfEra / 146_096
        let yearOfEra = leapless / 365
        let dayOfYear = dayOfEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
        let monthFromMarch = (5 &* dayOfYear &+ 2) / 153
        let day = dayOfYear &- (153 &* monthFromMarch &+ 2) / 5 &+ 1
        let month = monthFromMarch < 10 ? monthFromMarch &+ 3 : monthFromMarch &- 9
        let year = Int(truncatingIfNeeded: yearOfEra &+ era &* 400) &- shiftInYears
        return (
            month <= 2 ? year &+ 1 : year, Int(truncatingIfNeeded: month), Int(truncatingIfNeeded: day)
        )
    }

    /// The inverse; month 1 to 12, day 1 to 31, year within ±6 000 000.
    package static func days(year: Int, month: Int, day: Int) -> Int {
        let fromMarch = (month <= 2 ? year - 1 : year) + shiftInYears
        let era = fromMarch / 400
        let yearOfEra = fromMarch - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 730_425 - shiftInDays
    }

    package static func daysInMonth(year: Int, month: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }
}
