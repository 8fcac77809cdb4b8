/// A position in the write-ahead log, in bytes from its start; printed as PostgreSQL prints `pg_lsn`: `16/B374D848`.
package struct LSN: RawRepresentable, Hashable, Comparable, Sendable {
    package let rawValue: UInt64

    @inlinable package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    @inlinable package init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// PostgreSQL's "no position" (`InvalidXLogRecPtr`).
    package static let zero = LSN(0)

    @inlinable package static func < (left: LSN, right: LSN) -> Bool {
        left.rawValue < right.rawValue
    }

    /// Bytes of log from `other` up to here; negative when `other` is later. Saturates.
    package func distance(from other: LSN) -> Int64 {
        let (difference, borrow) = rawValue.subtractingReportingOverflow(other.rawValue)
        guard borrow else { return Int64(clamping: difference) }
        return Int64(clamping: -Int128(other.rawValue - rawValue))
    }

    package func advanced(by bytes: UInt64) -> LSN {
        let (sum, overflow) = rawValue.addingReportingOverflow(bytes)
        return LSN(overflow ? .max : sum)
    }
}

extension LSN: CustomStringConvertible, LosslessStringConvertible {
    package var description: String {
        let high = String(rawValue >> 32, radix: 16, uppercase: true)
        let low = String(rawValue & 0xFFFF_FFFF, radix: 16, uppercase: true)
        return "\(high)/\(low)"
    }

    /// Parses `X/Y`: two hexadecimal numbers of one to eight digits, nothing else.
    package init?(_ description: String) {
        var description = description
        let parsed = description.withUTF8 { LSN(text: UnsafeRawBufferPointer($0)) }
        guard let parsed else { return nil }
        self = parsed
    }

    package init?(text: UnsafeRawBufferPointer) {
        guard let slash = text.firstIndex(of: UInt8(ascii: "/")),
            let high = Self.half(text[..<slash]),
            let low = Self.half(text[(slash + 1)...])
        else { return nil }
        self.init(high << 32 | low)
    }

    private static func half(_ digits: Slice<UnsafeRawBufferPointer>) -> UInt64? {
        guard (1...8).contains(digits.count) else { return nil }
        var value: UInt64 = 0
        for byte in digits {
            guard let digit = ASCII.hexadecimalValue(byte) else { return nil }
            value = value << 4 | UInt64(digit)
        }
        return value
    }
}
