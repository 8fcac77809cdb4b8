import PostgresProtocol
import TestSupport
import Testing

@Suite struct RoundTripTests {
    private func expectRoundTrip(_ binary: [UInt8], _ kind: ValueKind) throws {
        var text = ByteBuffer()
        try withBytes(binary) { try FieldDecoder.appendText($0, kind, .binary, to: &text) }
        var back = ByteBuffer()
        try FieldEncoder.append(text: text.bytes, as: kind, .binary, to: &back)
        #expect(array(back) == binary, "\(kind) \(text.string)")
    }

    private func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    @Test func timestampsSurviveTheirText() throws {
        var generator = SeededGenerator()
        print("seed \(generator.seed)")
        for _ in 0..<3000 {
            let value = Int64.random(in: -211_813_488_000_000_000..<9_223_371_331_200_000_000, using: &generator)
            try expectRoundTrip(bigEndian(value), .timestamptz)
            try expectRoundTrip(bigEndian(value % 10_000_000_000_000), .timestamp)
        }
    }

    @Test func datesSurviveTheirText() throws {
        var generator = SeededGenerator()
        print("seed \(generator.seed)")
        for _ in 0..<3000 {
            try expectRoundTrip(
                bigEndian(Int32.random(in: -2_451_545...2_145_031_948, using: &generator)), .date)
            try expectRoundTrip(bigEndian(Int32.random(in: -800_000...100_000, using: &generator)), .date)
        }
    }

    @Test func floatsSurviveTheirText() throws {
        var generator = SeededGenerator()
        print("seed \(generator.seed)")
        for _ in 0..<3000 {
            let double = Double(bitPattern: generator.next())
            if !double.isNaN { try expectRoundTrip(bigEndian(double.bitPattern), .float8) }
            let float = Float(bitPattern: UInt32.random(in: 0...(.max), using: &generator))
            if !float.isNaN { try expectRoundTrip(bigEndian(float.bitPattern), .float4) }
            let whole = Double(UInt64.random(in: 0...(.max), using: &generator))
            try expectRoundTrip(bigEndian(whole.bitPattern), .float8)
        }
    }

    @Test func intervalsSurviveTheirText() throws {
        var generator = SeededGenerator()
        print("seed \(generator.seed)")
        for _ in 0..<3000 {
            let microseconds =
                Int64.random(in: -Int64.max...Int64.max, using: &generator)
                >> Int64.random(in: 0...60, using: &generator)
            let days = Int32.random(in: -500...500, using: &generator)
            let months = Int32.random(in: -5000...5000, using: &generator)
            try expectRoundTrip(bigEndian(microseconds) + bigEndian(days) + bigEndian(months), .interval)
        }
    }

    @Test func numericsSurviveTheirText() throws {
        var generator = SeededGenerator()
        print("seed \(generator.seed)")
        for _ in 0..<3000 {
            let digits = (0..<Int.random(in: 1...12, using: &generator)).map { _ in
                UInt16.random(in: 1...9999, using: &generator)
            }
            let weight = Int16.random(in: -6...12, using: &generator)
            // Enough decimals for the last digit of the last group.
            let scale =
                UInt16(max(0, 4 * (digits.count - 1 - Int(weight)))) + UInt16.random(in: 0...3, using: &generator)
            let sign: UInt16 = Bool.random(using: &generator) ? 0x4000 : 0
            let header = bigEndian(UInt16(digits.count)) + bigEndian(weight) + bigEndian(sign) + bigEndian(scale)
            try expectRoundTrip(header + digits.flatMap { bigEndian($0) }, .numeric)
        }
    }

    @Test func addressesSurviveTheirText() throws {
        var generator = SeededGenerator()
        print("seed \(generator.seed)")
        for _ in 0..<3000 {
            let address = (0..<8).flatMap { _ -> [UInt8] in
                Bool.random(using: &generator) ? [0, 0] : bigEndian(UInt16.random(in: 0...(.max), using: &generator))
            }
            try expectRoundTrip([3, UInt8.random(in: 0...128, using: &generator), 0, 16] + address, .inet)
        }
    }
}
