/// `inet` and `cidr`. Binary: family (2 or 3), bits of the mask, 1 for cidr, number of address bytes, address.
enum NetworkText {
    static let familyIPv4: UInt8 = 2
    static let familyIPv6: UInt8 = 3

    static func append(
        _ field: UnsafeRawBufferPointer, _ kind: ValueKind, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        guard field.count >= 4 else { throw .truncated(kind, needed: 4, left: field.count) }
        let width = Int(field[3])
        guard field[0] == familyIPv4 && width == 4 || field[0] == familyIPv6 && width == 16 else {
            throw .damaged(kind, reason: "unknown address family")
        }
        guard field.count == 4 + width else { throw .wrongLength(kind, expected: 4 + width, found: field.count) }
        guard Int(field[1]) <= 8 * width else { throw .damaged(kind, reason: "mask longer than the address") }
        let address = UnsafeRawBufferPointer(rebasing: field[4...])
        if width == 4 {
            appendIPv4(address, to: &buffer)
        } else {
            appendIPv6(address, to: &buffer)
        }
        guard Int(field[1]) != 8 * width || kind == .cidr else { return }
        buffer.append(UInt8(ascii: "/"))
        IntegerText.append(Int64(field[1]), to: &buffer)
    }

    private static func appendIPv4(_ address: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) {
        for index in 0..<4 {
            if index > 0 { buffer.append(UInt8(ascii: ".")) }
            IntegerText.append(Int64(address[index]), to: &buffer)
        }
    }

    /// The longest run of two or more zero groups becomes `::`; an embedded IPv4 address keeps its dots.
    private static func appendIPv6(_ address: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) {
        let zeros = longestZeroRun(address)
        var group = 0
        while group < 8 {
            if zeros.contains(group) {
                buffer.append(UInt8(ascii: ":"))
                if zeros.upperBound == 8 { buffer.append(UInt8(ascii: ":")) }
                group = zeros.upperBound
                continue
            }
            if group > 0 { buffer.append(UInt8(ascii: ":")) }
            if group == 6, holdsIPv4(address, zeros) {
                return appendIPv4(UnsafeRawBufferPointer(rebasing: address[12...]), to: &buffer)
            }
            buffer.append(String(address.loadBigEndian(2 * group, as: UInt16.self), radix: 16))
            group += 1
        }
    }

    private static func longestZeroRun(_ address: UnsafeRawBufferPointer) -> Range<Int> {
        var best = 0..<0
        var start = 0
        for group in 0...8 where group == 8 || address.loadBigEndian(2 * group, as: UInt16.self) != 0 {
            if group - start > max(best.count, 1) { best = start..<group }
            start = group + 1
        }
        return best
    }

    private static func holdsIPv4(_ address: UnsafeRawBufferPointer, _ zeros: Range<Int>) -> Bool {
        guard zeros.lowerBound == 0 else { return false }
        switch zeros.count {
        case 6: return true
        case 7: return address.loadBigEndian(14, as: UInt16.self) != 1
        case 5: return address.loadBigEndian(10, as: UInt16.self) == 0xFFFF
        default: return false
        }
    }
}

extension NetworkText {
    /// Whole addresses with an optional `/bits`. Shortened IPv4 forms (`10/8`) are an error here: send them as text.
    static func appendBinary(
        _ text: UnsafeRawBufferPointer, _ kind: ValueKind, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        let trimmed = ASCII.trimmed(text)
        let slash = trimmed.firstIndex(of: UInt8(ascii: "/")) ?? trimmed.count
        let address = UnsafeRawBufferPointer(rebasing: trimmed[..<slash])
        let start = buffer.count
        let isIPv6 = address.contains(UInt8(ascii: ":"))
        let width = isIPv6 ? 16 : 4
        buffer.append([isIPv6 ? familyIPv6 : familyIPv4, 0, kind == .cidr ? 1 : 0, UInt8(width)])
        let isValid = isIPv6 ? appendGroups(address, to: &buffer) : appendBytes(address, to: &buffer)
        let bits = slash == trimmed.count ? width * 8 : maskBits(trimmed[(slash + 1)...])
        guard isValid, let bits, bits <= width * 8 else {
            buffer.truncate(to: start)
            throw .malformed(kind, reason: "not an IPv4 or IPv6 address")
        }
        buffer.store(bigEndian: UInt8(bits), at: start + 1)
        guard kind != .cidr || hasNoHostBits(buffer.bytes[(start + 4)...], after: bits) else {
            buffer.truncate(to: start)
            throw .malformed(kind, reason: "bits to the right of the mask")
        }
    }

    private static func maskBits(_ digits: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard (1...3).contains(digits.count), digits.allSatisfy(ASCII.isDigit) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 &- 0x30) }
    }

    private static func hasNoHostBits(_ address: Slice<UnsafeRawBufferPointer>, after bits: Int) -> Bool {
        for (index, byte) in address.enumerated() {
            let kept = min(max(bits - 8 * index, 0), 8)
            if byte & UInt8(truncatingIfNeeded: 0xFF >> kept) != 0 { return false }
        }
        return true
    }

    private static func appendBytes(_ text: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) -> Bool {
        var count = 0
        for part in text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            guard let value = maskBits(part), value <= 255, count < 4 else { return false }
            buffer.append(UInt8(value))
            count += 1
        }
        return count == 4
    }

    /// Groups before and after at most one `::`, the last two perhaps as an IPv4 address.
    private static func appendGroups(_ text: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) -> Bool {
        let start = buffer.count
        guard let gap = doubleColon(text) else {
            return appendGroupList(text, to: &buffer) && buffer.count - start == 16
        }
        guard appendGroupList(UnsafeRawBufferPointer(rebasing: text[..<gap]), to: &buffer) else { return false }
        let before = buffer.count - start
        guard appendGroupList(UnsafeRawBufferPointer(rebasing: text[(gap + 2)...]), to: &buffer) else { return false }
        let after = buffer.count - start - before
        let missing = 16 - before - after
        guard missing > 0 else { return false }
        buffer.append([UInt8](repeating: 0, count: missing))
        let address = buffer.space(for: 0) - 16
        (address + before + missing).copyMemory(from: address + before, byteCount: after)
        (address + before).initializeMemory(as: UInt8.self, repeating: 0, count: missing)
        return true
    }

    private static func doubleColon(_ text: UnsafeRawBufferPointer) -> Int? {
        let colon = UInt8(ascii: ":")
        return text.indices.dropLast().first { text[$0] == colon && text[$0 + 1] == colon }
    }

    private static func appendGroupList(_ text: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) -> Bool {
        guard !text.isEmpty else { return true }
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if index == parts.count - 1, part.contains(UInt8(ascii: ".")) {
                return appendBytes(UnsafeRawBufferPointer(rebasing: part), to: &buffer)
            }
            guard (1...4).contains(part.count) else { return false }
            var value: UInt16 = 0
            for byte in part {
                guard let digit = ASCII.hexadecimalValue(byte) else { return false }
                value = value << 4 | UInt16(digit)
            }
            buffer.append(bigEndian: value)
        }
        return true
    }
}
