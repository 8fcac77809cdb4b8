/// Prints date and time types as the server does with `DateStyle` ISO and `TimeZone` UTC.
package enum DateTimeText {
    /// Days from 2000-01-01, as in the binary form.
    package static func append(date days: Int32, to buffer: inout ByteBuffer) {
        guard days != .max, days != .min else { return append(infinity: days > 0, to: &buffer) }
        let space = buffer.space(for: 24)
        let (year, month, day) = Calendar.civil(fromDays: Int(days))
        var length = write(year: year, month, day, to: space)
        if year <= 0 { length = writeEra(to: space, at: length) }
        buffer.advance(by: length)
    }

    /// Microseconds from midnight.
    package static func append(time microseconds: Int64, to buffer: inout ByteBuffer) throws(CodecError) {
        guard (0...Calendar.microsecondsPerDay).contains(microseconds) else {
            throw .damaged(.time, reason: "not within a day")
        }
        let space = buffer.space(for: 16)
        buffer.advance(by: write(time: UInt64(microseconds), to: space, at: 0))
    }

    /// Microseconds from midnight, and the zone in seconds west of UTC as in the binary form.
    package static func append(
        time microseconds: Int64, secondsWest: Int32, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        guard abs(Int(secondsWest)) < 16 * 3600 else { throw .damaged(.timetz, reason: "time zone out of range") }
        try append(time: microseconds, to: &buffer)
        let space = buffer.space(for: 12)
        space.storeBytes(of: UInt8(ascii: secondsWest > 0 ? "-" : "+"), as: UInt8.self)
        let magnitude = UInt64(secondsWest.magnitude)
        var length = write(pair: magnitude / 3600, to: space, at: 1)
        if magnitude % 3600 != 0 { length = write(separated: magnitude / 60 % 60, to: space, at: length) }
        if magnitude % 60 != 0 { length = write(separated: magnitude % 60, to: space, at: length) }
        buffer.advance(by: length)
    }

    /// Microseconds from 2000-01-01; with `isUTC` the form of `timestamptz`, else that of `timestamp`.
    @inlinable package static func append(timestamp microseconds: Int64, isUTC: Bool, to buffer: inout ByteBuffer) {
        guard microseconds != .max, microseconds != .min else { return append(infinity: microseconds > 0, to: &buffer) }
        var (days, time) = microseconds.quotientAndRemainder(dividingBy: 86_400_000_000)
        if time < 0 {
            days &-= 1
            time &+= 86_400_000_000
        }
        let space = buffer.space(for: 48)
        let (year, month, day) = Calendar.civil(fromDays: Int(days))
        var length = write(year: year, month, day, to: space)
        space.storeBytes(of: UInt8(ascii: " "), toByteOffset: length, as: UInt8.self)
        length = write(time: UInt64(bitPattern: time), to: space, at: length &+ 1)
        if isUTC {
            space.storeBytes(of: UInt8(ascii: "+"), toByteOffset: length, as: UInt8.self)
            length = write(pair: 0, to: space, at: length &+ 1)
        }
        if year <= 0 { length = writeEra(to: space, at: length) }
        buffer.advance(by: length)
    }

    package static func append(infinity isPositive: Bool, to buffer: inout ByteBuffer) {
        buffer.append(isPositive ? "infinity" : "-infinity")
    }
}

// MARK: - Digits

extension DateTimeText {
    /// Two digits at `offset`; returns the offset after them.
    @inlinable package static func write(pair value: UInt64, to space: UnsafeMutableRawPointer, at offset: Int) -> Int {
        let tens = (value &* 103) >> 10
        let digits = UInt16(truncatingIfNeeded: tens | (value &- tens &* 10) << 8) &+ 0x3030
        space.storeBytes(of: digits.littleEndian, toByteOffset: offset, as: UInt16.self)
        return offset &+ 2
    }

    @inlinable package static func write(
        separated value: UInt64, by separator: UInt8 = UInt8(ascii: ":"), to space: UnsafeMutableRawPointer,
        at offset: Int
    ) -> Int {
        space.storeBytes(of: separator, toByteOffset: offset, as: UInt8.self)
        return write(pair: value, to: space, at: offset &+ 1)
    }

    /// At least four digits of the year (that of the era, if BC), month and day.
    @inlinable package static func write(
        year: Int, _ month: Int, _ day: Int, to space: UnsafeMutableRawPointer
    ) -> Int {
        let shown = UInt64(truncatingIfNeeded: year > 0 ? year : 1 &- year)
        var length = 0
        if shown >= 10_000 {
            length = IntegerText.write(shown / 10_000, to: space)
        }
        let last = shown % 10_000
        length = write(pair: last / 100, to: space, at: length)
        length = write(pair: last % 100, to: space, at: length)
        length = write(
            separated: UInt64(truncatingIfNeeded: month), by: UInt8(ascii: "-"), to: space, at: length)
        return write(separated: UInt64(truncatingIfNeeded: day), by: UInt8(ascii: "-"), to: space, at: length)
    }

    /// `HH:MM:SS` and up to six digits of a fraction without zeros at its end.
    @inlinable package static func write(
        time microseconds: UInt64, to space: UnsafeMutableRawPointer, at offset: Int
    ) -> Int {
        let seconds = microseconds / 1_000_000
        let minutes = seconds / 60
        var length = write(pair: minutes / 60, to: space, at: offset)
        length = write(separated: minutes % 60, to: space, at: length)
        length = write(separated: seconds % 60, to: space, at: length)
        return write(fraction: microseconds &- seconds &* 1_000_000, to: space, at: length)
    }

    @inlinable package static func write(
        fraction microseconds: UInt64, to space: UnsafeMutableRawPointer, at offset: Int
    ) -> Int {
        guard microseconds != 0 else { return offset }
        var length = write(separated: microseconds / 10_000, by: UInt8(ascii: "."), to: space, at: offset)
        length = write(pair: microseconds / 100 % 100, to: space, at: length)
        length = write(pair: microseconds % 100, to: space, at: length)
        while space.load(fromByteOffset: length &- 1, as: UInt8.self) == 0x30 { length &-= 1 }
        return length
    }

    @inline(never) package static func writeEra(to space: UnsafeMutableRawPointer, at offset: Int) -> Int {
        for (index, byte) in [UInt8(ascii: " "), UInt8(ascii: "B"), UInt8(ascii: "C")].enumerated() {
            space.storeBytes(of: byte, toByteOffset: offset + index, as: UInt8.self)
        }
        return offset + 3
    }
}
