import BigInt

/// PostgreSQL's binary numeric (`numeric_recv`, `numeric_send`): four 16-bit fields in network
/// order (count of groups, weight of the first, sign, digits after the point), then groups of four
/// decimal digits, 0 to 9999 each.
extension Decimal {
    private static let positive: UInt16 = 0x0000
    private static let negative: UInt16 = 0x4000
    private static let nanSign: UInt16 = 0xC000
    private static let infinitySign: UInt16 = 0xD000
    private static let negativeInfinitySign: UInt16 = 0xF000

    package init(binary bytes: UnsafeRawBufferPointer) throws(DecimalError) {
        guard bytes.count >= 8 else { throw .damagedBinary("header needs 8 bytes, got \(bytes.count)") }
        let count = Int(Self.field(bytes, 0))
        guard bytes.count == 8 + 2 * count else {
            throw .damagedBinary("\(count) groups need \(8 + 2 * count) bytes, got \(bytes.count)")
        }
        let weight = Int(Int16(bitPattern: Self.field(bytes, 1)))
        let scale = Int(Self.field(bytes, 3))
        switch Self.field(bytes, 2) {
        case Self.nanSign: self = .notANumber
        case Self.infinitySign: self = .infinity
        case Self.negativeInfinitySign: self = .negativeInfinity
        case Self.positive: self = try Self.assemble(bytes, count: count, weight: weight, scale: scale)
        case Self.negative: self = try Self.assemble(bytes, count: count, weight: weight, scale: scale).negated
        case let sign: throw .damagedBinary("sign 0x\(String(sign, radix: 16))")
        }
    }

    private static func field(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> UInt16 {
        UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
    }

    private static func assemble(
        _ bytes: UnsafeRawBufferPointer, count: Int, weight: Int, scale: Int
    ) throws(DecimalError) -> Decimal {
        guard scale <= largestScale else { throw .damagedBinary("scale \(scale)") }
        // The groups as one integer have this many digits after the point.
        let groupScale = 4 * (count - 1 - weight)
        if count <= 4 {
            var value: UInt64 = 0
            for index in 0..<count { value = value &* 10_000 &+ UInt64(try group(bytes, index)) }
            return fitted(Int128(value), from: groupScale, to: scale)
        }
        if count <= 9 {
            var value: Int128 = 0
            for index in 0..<count { value = value * 10_000 + Int128(try group(bytes, index)) }
            return fitted(value, from: groupScale, to: scale)
        }
        return try assembleBig(bytes, count: count, groupScale: groupScale, scale: scale)
    }

    private static func group(_ bytes: UnsafeRawBufferPointer, _ index: Int) throws(DecimalError) -> UInt16 {
        let value = field(bytes, 4 + index)
        guard value < 10_000 else { throw .damagedBinary("group \(value)") }
        return value
    }

    private static func assembleBig(
        _ bytes: UnsafeRawBufferPointer, count: Int, groupScale: Int, scale: Int
    ) throws(DecimalError) -> Decimal {
        var digits: [UInt8] = []
        digits.reserveCapacity(4 * count)
        for index in 0..<count {
            let value = try group(bytes, index)
            for divisor: UInt16 in [1000, 100, 10, 1] { digits.append(UInt8(ascii: "0") + UInt8(value / divisor % 10)) }
        }
        guard let value = BigInt(String(decoding: digits, as: UTF8.self), radix: 10) else { return .zero }
        if scale >= groupScale {
            return Decimal(coefficient: value * PowersOfTen.big(scale - groupScale), scale: scale)
        }
        return Decimal(coefficient: value / PowersOfTen.big(groupScale - scale), scale: scale)
    }

    /// The sender fills the last group up with zeros and drops groups of zeros: undoes both.
    private static func fitted(_ value: Int128, from groupScale: Int, to scale: Int) -> Decimal {
        if groupScale == scale || value == 0 { return Decimal(coefficient: value, scale: scale) }
        guard let power = PowersOfTen.int128(abs(scale - groupScale)) else {
            let big = BigInt(value)
            return scale > groupScale
                ? Decimal(coefficient: big * PowersOfTen.big(scale - groupScale), scale: scale)
                : Decimal(coefficient: big / PowersOfTen.big(groupScale - scale), scale: scale)
        }
        if scale < groupScale { return Decimal(coefficient: value / power, scale: scale) }
        let (product, overflow) = value.multipliedReportingOverflow(by: power)
        if !overflow { return Decimal(coefficient: product, scale: scale) }
        return Decimal(coefficient: BigInt(value) * BigInt(power), scale: scale)
    }

    /// Appends the binary form.
    package func appendBinary(to output: inout [UInt8]) {
        switch storage {
        case .notANumber: Self.append([0, 0, Self.nanSign, 0], to: &output)
        case .infinity: Self.append([0, 0, Self.infinitySign, 0], to: &output)
        case .negativeInfinity: Self.append([0, 0, Self.negativeInfinitySign, 0], to: &output)
        case .small, .big:
            let (groups, weight) = groups()
            let sign = signum < 0 ? Self.negative : Self.positive
            let header = [UInt16(groups.count), UInt16(bitPattern: Int16(weight)), sign, UInt16(scale)]
            Self.append(header, to: &output)
            Self.append(groups, to: &output)
        }
    }

    private static func append(_ fields: [UInt16], to output: inout [UInt8]) {
        for field in fields {
            output.append(UInt8(truncatingIfNeeded: field >> 8))
            output.append(UInt8(truncatingIfNeeded: field))
        }
    }

    /// Groups of four digits aligned to the point, without zeros at either end.
    private func groups() -> (groups: [UInt16], weight: Int) {
        let fill = (4 - scale % 4) % 4
        var groups = lowestFirstGroups(atScale: scale + fill)
        var weight = groups.count - 1 - (scale + fill) / 4
        while let last = groups.last, last == 0 {
            groups.removeLast()
            weight -= 1
        }
        groups.reverse()
        while let last = groups.last, last == 0 { groups.removeLast() }
        return (groups, groups.isEmpty ? 0 : weight)
    }

    private func lowestFirstGroups(atScale scale: Int) -> [UInt16] {
        var groups: [UInt16] = []
        if let coefficient = smallCoefficient(atScale: scale) {
            var rest = coefficient.magnitude
            while rest > UInt128(UInt64.max) {
                groups.append(UInt16(rest % 10_000))
                rest /= 10_000
            }
            var low = UInt64(rest)
            while low > 0 {
                groups.append(UInt16(low % 10_000))
                low /= 10_000
            }
            return groups
        }
        var digits = Array(String((bigCoefficient(atScale: scale) ?? 0).magnitude).utf8)[...]
        while !digits.isEmpty {
            let group = digits.suffix(4).reduce(UInt16(0)) { $0 * 10 + UInt16($1 - UInt8(ascii: "0")) }
            groups.append(group)
            digits = digits.dropLast(4)
        }
        return groups
    }
}
