import BigInt

extension Decimal {
    /// The quotient, rounded half away from zero to PostgreSQL's scale for division: at least 16
    /// significant digits, at least the scale of each operand, at most 1000 digits after the point.
    package func divided(by other: Decimal) throws(DecimalError) -> Decimal {
        if isNaN || other.isNaN { return .notANumber }
        if other.isZero { throw .divisionByZero }
        guard isFinite else {
            return other.isFinite ? (signum == other.signum ? .infinity : .negativeInfinity) : .notANumber
        }
        guard other.isFinite else { return .zero }
        let scale = Decimal.quotientScale(self, other)
        // dividend * 10^shift / divisor has `scale` digits after the point.
        let shift = scale + other.scale - self.scale
        if case .small(let divisor) = other.storage, let dividend = smallCoefficient(atScale: self.scale + shift) {
            return Decimal(coefficient: Decimal.roundedQuotient(dividend, divisor), scale: scale)
        }
        guard let dividend = bigCoefficient(atScale: self.scale + shift), let divisor = other.bigCoefficient else {
            return .notANumber
        }
        return try Decimal(coefficient: Decimal.roundedQuotient(dividend, divisor), scale: scale).checked()
    }

    /// The largest integer not above the exact quotient, as Lua's `//`.
    package func floorDivided(by other: Decimal) throws(DecimalError) -> Decimal {
        if isNaN || other.isNaN { return .notANumber }
        if other.isZero { throw .divisionByZero }
        guard isFinite else { return try divided(by: other) }
        guard other.isFinite else { return Decimal(signum * other.signum < 0 ? -1 : 0) }
        let scale = max(self.scale, other.scale)
        guard let left = bigCoefficient(atScale: scale), let right = other.bigCoefficient(atScale: scale) else {
            return .notANumber
        }
        let (quotient, remainder) = left.quotientAndRemainder(dividingBy: right)
        let isBelow = !remainder.isZero && (remainder.signum() != right.signum())
        return try Decimal(coefficient: isBelow ? quotient - 1 : quotient, scale: 0).checked()
    }

    /// `self - (self // other) * other`, as Lua's `%`: the sign is the divisor's.
    package func modulo(_ other: Decimal) throws(DecimalError) -> Decimal {
        if isNaN || other.isNaN || !isFinite { return .notANumber }
        guard other.isFinite else { return signum * other.signum < 0 ? other : self }
        return try subtracting(floorDivided(by: other).multiplied(by: other))
    }

    /// Rounded half away from zero to `places` digits after the point (before it when negative).
    package func rounded(to places: Int) throws(DecimalError) -> Decimal {
        try rescaled(to: places, by: Decimal.roundedQuotient, Decimal.roundedQuotient)
    }

    /// Cut off after `places` digits behind the point (before it when negative).
    package func truncated(to places: Int) throws(DecimalError) -> Decimal {
        try rescaled(to: places, by: { $0 / $1 }, { $0 / $1 })
    }

    private func rescaled(
        to places: Int, by small: (Int128, Int128) -> Int128, _ big: (BigInt, BigInt) -> BigInt
    ) throws(DecimalError) -> Decimal {
        guard isFinite, places != scale else { return self }
        guard places <= Decimal.largestScale, places >= -Decimal.mostIntegerDigits else { throw .outOfRange }
        let result: Decimal
        if places > scale {
            result = extended(to: places)
        } else if case .small(let value) = storage, let power = PowersOfTen.int128(scale - places) {
            result = Decimal(coefficient: small(value, power), scale: places)
        } else {
            let value = bigCoefficient ?? 0
            result = Decimal(coefficient: big(value, PowersOfTen.big(scale - places)), scale: places)
        }
        // A negative scale exists only here: fill up to the point.
        return try (places < 0 ? result.extended(to: 0) : result).checked()
    }

    private func extended(to newScale: Int) -> Decimal {
        if let value = smallCoefficient(atScale: newScale) { return Decimal(coefficient: value, scale: newScale) }
        return Decimal(coefficient: bigCoefficient(atScale: newScale) ?? 0, scale: newScale)
    }

    private static func roundedQuotient(_ dividend: Int128, _ divisor: Int128) -> Int128 {
        let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
        let isHalfOrMore = remainder.magnitude >= divisor.magnitude - remainder.magnitude
        guard isHalfOrMore, remainder != 0 else { return quotient }
        return (dividend < 0) == (divisor < 0) ? quotient + 1 : quotient - 1
    }

    private static func roundedQuotient(_ dividend: BigInt, _ divisor: BigInt) -> BigInt {
        let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
        let isHalfOrMore = remainder.magnitude * 2 >= divisor.magnitude
        guard isHalfOrMore, !remainder.isZero else { return quotient }
        return (dividend.signum() < 0) == (divisor.signum() < 0) ? quotient + 1 : quotient - 1
    }

    /// `select_div_scale` of PostgreSQL's numeric.c, which counts in groups of four digits.
    private static func quotientScale(_ dividend: Decimal, _ divisor: Decimal) -> Int {
        let (leftWeight, leftGroup) = dividend.leadingGroup
        let (rightWeight, rightGroup) = divisor.leadingGroup
        let weight = leftWeight - rightWeight - (leftGroup <= rightGroup ? 1 : 0)
        let scale = max(16 - weight * 4, dividend.scale, divisor.scale, 0)
        return max(min(scale, 1000), dividend.scale - divisor.scale)
    }

    /// Weight and value of the first group of four digits that is not zero; (0, 0) for zero.
    private var leadingGroup: (weight: Int, group: Int) {
        let digits = digitCount
        guard digits > 0 else { return (0, 0) }
        let point = digits - scale
        let weight = (point - 1) >= 0 ? (point - 1) / 4 : -((4 - point) / 4)
        return (weight, leading(point - weight * 4, of: digits))
    }

    /// The first `count` (1 to 4) of the coefficient's `digits` digits, filled up with zeros.
    private func leading(_ count: Int, of digits: Int) -> Int {
        switch storage {
        case .small(let coefficient):
            let magnitude = Int128(coefficient.magnitude)
            if digits >= count { return Int(magnitude / (PowersOfTen.int128(digits - count) ?? 1)) }
            return Int(magnitude * (PowersOfTen.int128(count - digits) ?? 1))
        case .big(let coefficient):
            return Int(String(coefficient.magnitude).prefix(count)) ?? 0
        case .notANumber, .infinity, .negativeInfinity:
            return 0
        }
    }
}
