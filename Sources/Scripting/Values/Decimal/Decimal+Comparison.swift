import BigInt

/// By value, whatever the scale; NaN equals itself and is above everything, as in PostgreSQL.
extension Decimal: Comparable, Hashable {
    /// -1, 0 or 1.
    package func compared(to other: Decimal) -> Int {
        if case .small(let left) = storage, case .small(let right) = other.storage, scale == other.scale {
            return left < right ? -1 : (left == right ? 0 : 1)
        }
        guard isFinite, other.isFinite else { return rank - other.rank }
        if signum != other.signum { return signum < other.signum ? -1 : 1 }
        let scale = max(scale, other.scale)
        if let left = smallCoefficient(atScale: scale), let right = other.smallCoefficient(atScale: scale) {
            return left < right ? -1 : (left == right ? 0 : 1)
        }
        guard let left = bigCoefficient(atScale: scale), let right = other.bigCoefficient(atScale: scale) else {
            return 0
        }
        return left < right ? -1 : (left == right ? 0 : 1)
    }

    /// Order among the kinds; two that are finite are not told apart.
    private var rank: Int {
        switch storage {
        case .negativeInfinity: -1
        case .small, .big: 0
        case .infinity: 1
        case .notANumber: 2
        }
    }

    package static func < (left: Decimal, right: Decimal) -> Bool {
        left.compared(to: right) < 0
    }

    package static func == (left: Decimal, right: Decimal) -> Bool {
        left.compared(to: right) == 0
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(rank)
        guard isFinite else { return }
        let reduced = withoutTrailingZeros
        hasher.combine(reduced.scale)
        if case .small(let coefficient) = reduced.storage { hasher.combine(coefficient) }
        if case .big(let coefficient) = reduced.storage { hasher.combine(coefficient) }
    }

    /// The same value with the smallest scale.
    package var withoutTrailingZeros: Decimal {
        guard !isZero else { return .zero }
        switch storage {
        case .small(var coefficient):
            var scale = scale
            while scale > 0, coefficient % 10 == 0 {
                coefficient /= 10
                scale -= 1
            }
            return Decimal(coefficient: coefficient, scale: scale)
        case .big(var coefficient):
            var scale = scale
            while scale > 0 {
                let (quotient, remainder) = coefficient.quotientAndRemainder(dividingBy: 10)
                guard remainder.isZero else { break }
                coefficient = quotient
                scale -= 1
            }
            return Decimal(coefficient: coefficient, scale: scale)
        case .notANumber, .infinity, .negativeInfinity:
            return self
        }
    }
}
