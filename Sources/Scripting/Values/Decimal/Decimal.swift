import BigInt

/// An exact decimal number with the values and the rules of PostgreSQL's `numeric`: a coefficient
/// and a count of digits after the point, or NaN, or an infinity.
///
/// A coefficient of up to 127 bits is kept and computed as an `Int128`; a larger one as a `BigInt`.
package struct Decimal: Sendable {
    enum Storage: Sendable {
        /// Never `Int128.min`, so that negation cannot overflow.
        case small(Int128)
        /// Only what `small` cannot hold: one value has one storage.
        case big(BigInt)
        case notANumber
        case infinity
        case negativeInfinity
    }

    let storage: Storage

    /// Digits after the point, 0 to `Decimal.largestScale`; 0 for NaN and infinities.
    package let scale: Int

    /// PostgreSQL's limit of digits after the point.
    package static let largestScale = 16_383
    /// PostgreSQL's limit of digits before the point.
    package static let mostIntegerDigits = 131_072

    package static let notANumber = Decimal(storage: .notANumber, scale: 0)
    package static let infinity = Decimal(storage: .infinity, scale: 0)
    package static let negativeInfinity = Decimal(storage: .negativeInfinity, scale: 0)
    package static let zero = Decimal(storage: .small(0), scale: 0)

    init(storage: Storage, scale: Int) {
        self.storage = storage
        self.scale = scale
    }

    package init(_ integer: Int64) {
        self.init(storage: .small(Int128(integer)), scale: 0)
    }

    /// `coefficient / 10^scale`; the caller keeps to the limits.
    init(coefficient: Int128, scale: Int) {
        if coefficient == .min {
            self.init(storage: .big(BigInt(coefficient)), scale: scale)
        } else {
            self.init(storage: .small(coefficient), scale: scale)
        }
    }

    /// `coefficient / 10^scale`; the caller keeps to the limits.
    init(coefficient: BigInt, scale: Int) {
        if coefficient.magnitude.bitWidth <= 127 {
            let magnitude = coefficient.magnitude.words.reversed().reduce(UInt128(0)) { $0 << 64 | UInt128($1) }
            let value = Int128(magnitude)
            self.init(storage: .small(coefficient.signum() < 0 ? -value : value), scale: scale)
        } else {
            self.init(storage: .big(coefficient), scale: scale)
        }
    }

    /// Neither NaN nor an infinity.
    package var isFinite: Bool {
        switch storage {
        case .small, .big: true
        case .notANumber, .infinity, .negativeInfinity: false
        }
    }

    package var isNaN: Bool {
        if case .notANumber = storage { true } else { false }
    }

    package var isZero: Bool {
        if case .small(0) = storage { true } else { false }
    }

    /// -1, 0 or 1; 0 for NaN.
    package var signum: Int {
        switch storage {
        case .small(let coefficient): Int(coefficient.signum())
        case .big(let coefficient): Int(coefficient.signum())
        case .infinity: 1
        case .negativeInfinity: -1
        case .notANumber: 0
        }
    }

    /// The coefficient whatever its size; nil unless finite.
    var bigCoefficient: BigInt? {
        switch storage {
        case .small(let coefficient): BigInt(coefficient)
        case .big(let coefficient): coefficient
        case .notANumber, .infinity, .negativeInfinity: nil
        }
    }

    /// The value as an integer, if it is one and fits 64 bits.
    package var exactInteger: Int64? {
        guard case .small(let coefficient) = storage else { return wholeBig }
        guard scale > 0 else { return Int64(exactly: coefficient) }
        guard let power = PowersOfTen.int128(scale) else { return coefficient == 0 ? 0 : wholeBig }
        let (quotient, remainder) = coefficient.quotientAndRemainder(dividingBy: power)
        return remainder == 0 ? Int64(exactly: quotient) : nil
    }

    private var wholeBig: Int64? {
        guard let coefficient = bigCoefficient else { return nil }
        let (quotient, remainder) = coefficient.quotientAndRemainder(dividingBy: PowersOfTen.big(scale))
        return remainder.isZero ? Int64(exactly: quotient) : nil
    }

    /// The nearest double; NaN and infinities stay what they are.
    package var doubleValue: Double {
        switch storage {
        case .notANumber: return .nan
        case .infinity: return .infinity
        case .negativeInfinity: return -.infinity
        case .small(let coefficient):
            // Both operands are exact, so one division rounds once.
            if scale <= 22, coefficient.magnitude <= 1 << 53 {
                return Double(Int64(coefficient)) / PowersOfTen.double(scale)
            }
            return Double(description) ?? .nan
        case .big:
            return Double(description) ?? .nan
        }
    }
}

/// Why a decimal could not be read or computed.
package enum DecimalError: Error, Equatable, Sendable, CustomStringConvertible {
    case notANumber(text: String)
    case outOfRange
    case divisionByZero
    case damagedBinary(String)

    package var description: String {
        switch self {
        case .notANumber(let text): "\"\(text)\" is not a decimal number"
        case .outOfRange:
            "decimal out of range: more than \(Decimal.mostIntegerDigits) digits before or "
                + "\(Decimal.largestScale) after the point"
        case .divisionByZero: "division by zero"
        case .damagedBinary(let what): "damaged binary numeric: \(what)"
        }
    }
}
