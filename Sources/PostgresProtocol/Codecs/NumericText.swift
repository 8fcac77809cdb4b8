/// `numeric` between its two forms. Binary: digit count, weight of the first digit, sign, shown decimals (four Int16), then
/// digits of base 10000 (`numeric_send`).
package enum NumericText {
    static let negative: UInt16 = 0x4000
    static let nan: UInt16 = 0xC000
    static let infinity: UInt16 = 0xD000
    static let negativeInfinity: UInt16 = 0xF000
    static let maximumScale = 16_383
    static let maximumWeight = 32_767

    /// Appends the text form of a binary value.
    package static func append(_ field: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) throws(CodecError) {
        guard field.count >= 8 else { throw .truncated(.numeric, needed: 8, left: field.count) }
        let count = Int(field.loadBigEndian(0, as: UInt16.self))
        let weight = Int(field.loadBigEndian(2, as: Int16.self))
        let sign = field.loadBigEndian(4, as: UInt16.self)
        let scale = Int(field.loadBigEndian(6, as: UInt16.self))
        guard field.count == 8 &+ 2 &* count else {
            throw .wrongLength(.numeric, expected: 8 + 2 * count, found: field.count)
        }
        guard sign == 0 || sign == negative else { return try appendSpecial(sign, to: &buffer) }
        guard scale <= maximumScale else { throw .damaged(.numeric, reason: "more than 16383 decimals") }
        let digits = UnsafeRawBufferPointer(rebasing: field[8...])
        try check(digits)
        if sign == negative { buffer.append(UInt8(ascii: "-")) }
        appendWhole(digits, weight: weight, to: &buffer)
        if scale > 0 { appendDecimals(digits, weight: weight, scale: scale, to: &buffer) }
    }

    private static func appendSpecial(_ sign: UInt16, to buffer: inout ByteBuffer) throws(CodecError) {
        switch sign {
        case nan: buffer.append("NaN")
        case infinity: buffer.append("Infinity")
        case negativeInfinity: buffer.append("-Infinity")
        default: throw .damaged(.numeric, reason: "unknown sign")
        }
    }

    private static func check(_ digits: UnsafeRawBufferPointer) throws(CodecError) {
        var offset = 0
        while offset < digits.count {
            guard digits.loadBigEndian(offset, as: UInt16.self) < 10_000 else {
                throw .damaged(.numeric, reason: "digit above 9999")
            }
            offset &+= 2
        }
    }

    private static func appendWhole(_ digits: UnsafeRawBufferPointer, weight: Int, to buffer: inout ByteBuffer) {
        guard weight >= 0, digits.count > 0 else { return buffer.append(UInt8(ascii: "0")) }
        let space = buffer.space(for: 4 &* (weight &+ 1) &+ 20)
        var length = IntegerText.write(UInt64(digits.loadBigEndian(0, as: UInt16.self)), to: space)
        var index = 1
        while index <= weight {
            length = write(four: digit(index, of: digits), to: space, at: length)
            index &+= 1
        }
        buffer.advance(by: length)
    }

    private static func appendDecimals(
        _ digits: UnsafeRawBufferPointer, weight: Int, scale: Int, to buffer: inout ByteBuffer
    ) {
        let space = buffer.space(for: scale &+ 8)
        space.storeBytes(of: UInt8(ascii: "."), as: UInt8.self)
        var length = 1
        var index = weight &+ 1
        while length <= scale {
            length = write(four: digit(index, of: digits), to: space, at: length)
            index &+= 1
        }
        buffer.advance(by: scale &+ 1)
    }

    /// Zero before the first and after the last stored digit.
    @inline(__always) private static func digit(_ index: Int, of digits: UnsafeRawBufferPointer) -> UInt64 {
        guard index >= 0, 2 &* index < digits.count else { return 0 }
        return UInt64(digits.loadBigEndian(2 &* index, as: UInt16.self))
    }

    @inline(__always) private static func write(
        four value: UInt64, to space: UnsafeMutableRawPointer, at offset: Int
    ) -> Int {
        let high = value / 100
        _ = DateTimeText.write(pair: high, to: space, at: offset)
        return DateTimeText.write(pair: value &- high &* 100, to: space, at: offset &+ 2)
    }
}

extension NumericText {
    /// Appends the binary form of a text: decimal digits with point and exponent, `NaN`, `Infinity`.
    package static func appendBinary(_ text: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) throws(CodecError) {
        let trimmed = ASCII.trimmed(text)
        guard let number = NumericDigits(trimmed) else {
            guard let sign = specialSign(trimmed) else { throw .malformed(.numeric, reason: "not a decimal number") }
            // The server sends its infinities with a scale of 32.
            return appendHeader(count: 0, weight: 0, sign: sign, scale: sign == nan ? 0 : 32, to: &buffer)
        }
        let scale = number.scale
        guard scale <= maximumScale, number.isZero || number.topWeight <= maximumWeight else {
            throw .outOfRange(.numeric, lowest: "131072 digits", highest: "16383 decimals")
        }
        guard !number.isZero else { return appendHeader(count: 0, weight: 0, sign: 0, scale: scale, to: &buffer) }
        appendHeader(
            count: number.topWeight - number.bottomWeight + 1, weight: number.topWeight,
            sign: number.isNegative ? negative : 0, scale: scale, to: &buffer)
        var weight = number.topWeight
        while weight >= number.bottomWeight {
            buffer.append(bigEndian: number.group(weight))
            weight -= 1
        }
    }

    /// Appends the binary form of an integer.
    package static func appendBinary(_ value: Int64, to buffer: inout ByteBuffer) {
        var groups: (UInt16, UInt16, UInt16, UInt16, UInt16) = (0, 0, 0, 0, 0)
        var rest = value.magnitude
        var top = -1
        withUnsafeMutableBytes(of: &groups) { raw in
            while rest != 0 {
                top += 1
                raw.storeBytes(of: UInt16(rest % 10_000), toByteOffset: 2 * top, as: UInt16.self)
                rest /= 10_000
            }
            var bottom = 0
            while bottom < top, raw.load(fromByteOffset: 2 * bottom, as: UInt16.self) == 0 { bottom += 1 }
            let count = top < 0 ? 0 : top - bottom + 1
            appendHeader(count: count, weight: max(top, 0), sign: value < 0 ? negative : 0, scale: 0, to: &buffer)
            for index in 0..<count {
                buffer.append(bigEndian: raw.load(fromByteOffset: 2 * (top - index), as: UInt16.self))
            }
        }
    }

    private static func appendHeader(count: Int, weight: Int, sign: UInt16, scale: Int, to buffer: inout ByteBuffer) {
        buffer.append(bigEndian: UInt16(truncatingIfNeeded: count))
        buffer.append(bigEndian: Int16(truncatingIfNeeded: weight))
        buffer.append(bigEndian: sign)
        buffer.append(bigEndian: UInt16(truncatingIfNeeded: scale))
    }

    private static func specialSign(_ text: UnsafeRawBufferPointer) -> UInt16? {
        if ASCII.matches(text, "nan") { return nan }
        if ASCII.matches(text, "infinity") || ASCII.matches(text, "inf") { return infinity }
        if ASCII.matches(text, "+infinity") || ASCII.matches(text, "+inf") { return infinity }
        return ASCII.matches(text, "-infinity") || ASCII.matches(text, "-inf") ? negativeInfinity : nil
    }
}

/// The digits of a decimal number within its text, without a copy.
private struct NumericDigits {
    private let text: UnsafeRawBufferPointer
    let isNegative: Bool
    private var wholeStart = 0
    private var wholeCount = 0
    private var decimalsStart = 0
    private var decimalsCount = 0
    private var exponent = 0
    /// First and last digit that is not zero, counted over whole digits and decimals.
    private var first = -1
    private var last = -1

    init?(_ text: UnsafeRawBufferPointer) {
        self.text = text
        isNegative = text.first == UInt8(ascii: "-")
        var position = isNegative || text.first == UInt8(ascii: "+") ? 1 : 0
        wholeStart = position
        wholeCount = Self.skipDigits(text, &position)
        decimalsStart = position
        if position < text.count, text[position] == UInt8(ascii: ".") {
            position += 1
            decimalsStart = position
            decimalsCount = Self.skipDigits(text, &position)
        }
        guard wholeCount + decimalsCount > 0, readExponent(&position), position == text.count else { return nil }
        for index in 0..<(wholeCount + decimalsCount) where digit(index) != 0 {
            if first < 0 { first = index }
            last = index
        }
    }

    var isZero: Bool { first < 0 }
    var scale: Int { max(0, decimalsCount - exponent) }
    /// Power of 10000 of the first and of the last group that is not zero.
    var topWeight: Int { power(first) >> 2 }
    var bottomWeight: Int { power(last) >> 2 }

    /// The group of four digits at a power of 10000.
    func group(_ weight: Int) -> UInt16 {
        var value: UInt16 = 0
        // Four times the weight is the power of ten of the group's last digit.
        let lowest = wholeCount + exponent - 1 - 4 * weight
        for index in (lowest - 3)...lowest {
            value = value * 10 + (index >= first && index <= last ? UInt16(digit(index)) : 0)
        }
        return value
    }

    private func power(_ index: Int) -> Int { wholeCount + exponent - 1 - index }

    private func digit(_ index: Int) -> UInt8 {
        text[index < wholeCount ? wholeStart + index : decimalsStart + index - wholeCount] &- 0x30
    }

    private mutating func readExponent(_ position: inout Int) -> Bool {
        guard position < text.count else { return true }
        guard text[position] | 0x20 == UInt8(ascii: "e") else { return false }
        position += 1
        let isNegative = position < text.count && text[position] == UInt8(ascii: "-")
        if isNegative || (position < text.count && text[position] == UInt8(ascii: "+")) { position += 1 }
        let start = position
        while position < text.count, ASCII.isDigit(text[position]) {
            exponent = min(exponent * 10 + Int(text[position] &- 0x30), 10_000_000)
            position += 1
        }
        if isNegative { exponent = -exponent }
        return position > start
    }

    private static func skipDigits(_ text: UnsafeRawBufferPointer, _ position: inout Int) -> Int {
        let start = position
        while position < text.count, ASCII.isDigit(text[position]) { position += 1 }
        return position - start
    }
}
