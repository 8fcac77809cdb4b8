import BigInt

extension Decimal {
    /// Exact sum; its scale is the larger of the two.
    package func adding(_ other: Decimal) throws(DecimalError) -> Decimal {
        if case .small(let left) = storage, case .small(let right) = other.storage, scale == other.scale {
            let (sum, overflow) = left.addingReportingOverflow(right)
            if !overflow { return Decimal(coefficient: sum, scale: scale) }
        }
        guard isFinite, other.isFinite else { return addingSpecial(other) }
        return try Decimal.aligned(self, other, small: { $0.addingReportingOverflow($1) }, big: { $0 + $1 })
    }

    /// Exact difference; its scale is the larger of the two.
    package func subtracting(_ other: Decimal) throws(DecimalError) -> Decimal {
        try adding(other.negated)
    }

    /// Exact product; its scale is the sum of the two.
    package func multiplied(by other: Decimal) throws(DecimalError) -> Decimal {
        guard isFinite, other.isFinite else { return multipliedSpecial(by: other) }
        let scale = scale + other.scale
        guard scale <= Decimal.largestScale else { throw .outOfRange }
        if case .small(let left) = storage, case .small(let right) = other.storage {
            let (product, overflow) = left.multipliedReportingOverflow(by: right)
            if !overflow { return Decimal(coefficient: product, scale: scale) }
        }
        guard let left = bigCoefficient, let right = other.bigCoefficient else { return .notANumber }
        return try Decimal(coefficient: left * right, scale: scale).checked()
    }

    package var negated: Decimal {
        switch storage {
        case .small(let coefficient): Decimal(storage: .small(-coefficient), scale: scale)
        case .big(let coefficient): Decimal(coefficient: -coefficient, scale: scale)
        case .infinity: .negativeInfinity
        case .negativeInfinity: .infinity
        case .notANumber: self
        }
    }

    package var magnitude: Decimal {
        signum < 0 ? negated : self
    }

    /// Brings both coefficients to the larger scale and applies the operation to them.
    private static func aligned(
        _ left: Decimal, _ right: Decimal,
        small: (Int128, Int128) -> (partialValue: Int128, overflow: Bool),
        big: (BigInt, BigInt) -> BigInt
    ) throws(DecimalError) -> Decimal {
        let scale = max(left.scale, right.scale)
        if let first = left.smallCoefficient(atScale: scale), let second = right.smallCoefficient(atScale: scale) {
            let (value, overflow) = small(first, second)
            if !overflow { return Decimal(coefficient: value, scale: scale) }
        }
        guard let first = left.bigCoefficient(atScale: scale), let second = right.bigCoefficient(atScale: scale) else {
            return .notANumber
        }
        return try Decimal(coefficient: big(first, second), scale: scale).checked()
    }

    /// The coefficient this value would have with `newScale` >= `scale`; nil when it does not fit.
    func smallCoefficient(atScale newScale: Int) -> Int128? {
        guard case .small(let coefficient) = storage else { return nil }
        if newScale == scale { return coefficient }
        guard let power = PowersOfTen.int128(newScale - scale) else { return coefficient == 0 ? 0 : nil }
        let (value, overflow) = coefficient.multipliedReportingOverflow(by: power)
        return overflow ? nil : value
    }

    /// The coefficient this value would have with `newScale` >= `scale`; nil unless finite.
    func bigCoefficient(atScale newScale: Int) -> BigInt? {
        guard let coefficient = bigCoefficient else { return nil }
        return newScale == scale ? coefficient : coefficient * PowersOfTen.big(newScale - scale)
    }

    /// Digits before the point; 0 below one.
    var integerDigits: Int {
        max(0, digitCount - scale)
    }

    /// Digits of the coefficient; 0 for zero.
    var digitCount: Int {
        switch storage {
        case .small(let coefficient): PowersOfTen.digitCount(of: coefficient.magnitude)
        case .big(let coefficient): PowersOfTen.digitCount(of: coefficient.magnitude)
        case .notANumber, .infinity, .negativeInfinity: 0
        }
    }

    /// Itself, unless it exceeds PostgreSQL's limits.
    func checked() throws(DecimalError) -> Decimal {
        guard scale <= Decimal.largestScale else { throw .outOfRange }
        guard case .big(let coefficient) = storage else { return self }
        // log2(10) is about 3.3219: below this many bits there cannot be too many digits.
        let limit = Decimal.mostIntegerDigits + scale
        if coefficient.magnitude.bitWidth <= limit * 3 { return self }
        guard coefficient.magnitude.bitWidth <= limit * 4, integerDigits <= Decimal.mostIntegerDigits else {
            throw .outOfRange
        }
        return self
    }

    private func addingSpecial(_ other: Decimal) -> Decimal {
        if isNaN || other.isNaN { return .notANumber }
        if isFinite { return other }
        if other.isFinite { return self }
        return signum == other.signum ? self : .notANumber
    }

    private func multipliedSpecial(by other: Decimal) -> Decimal {
        switch signum * other.signum {
        case 1: .infinity
        case -1: .negativeInfinity
        default: .notANumber
        }
    }
}
