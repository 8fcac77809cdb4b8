import Glibc
import PostgresProtocol
import TestSupport
import Testing

/// Damages the golden messages again and again: each must be decoded and walked, or refused, whatever its bytes.
///
/// `scripts/check --fuzz` sets REPLHOST_FUZZ_SECONDS to run it longer; REPLHOST_FUZZ_SEED repeats a run.
@Suite struct LogicalMessageFuzzTests {
    private static func option(_ name: String) -> UInt64? {
        getenv(name).flatMap { UInt64(String(cString: $0)) }
    }

    @Test func noBytesCrashTheDecoder() {
        let seed = Self.option("REPLHOST_FUZZ_SEED")
        var generator = seed.map { SeededGenerator(seed: $0) } ?? SeededGenerator()
        print("seed \(generator.seed)")
        // A crash would take what is buffered with it.
        fflush(nil)
        let deadline = Self.option("REPLHOST_FUZZ_SECONDS").map { ContinuousClock.now + .seconds(Int64(clamping: $0)) }
        var rounds = 0
        var decoded = 0
        repeat {
            for _ in 0..<5000 where attempt(&generator) { decoded += 1 }
            rounds += 5000
        } while deadline.map { ContinuousClock.now < $0 } ?? false
        print("\(rounds) messages, \(decoded) decoded")

        #expect(decoded > 0)
        #expect(decoded < rounds)
    }

    /// True if what it made could be decoded.
    private func attempt(_ generator: inout SeededGenerator) -> Bool {
        let bytes = mutated(&generator)
        do {
            let frame = GoldenMessage.dataHeader + bytes
            return try withBytes(frame) { raw in
                guard case .data(let data) = try StreamFrame(decoding: raw) else { return false }
                return try Decoded(Array(data.payload)).message == Decoded(bytes).message
            }
        } catch {
            return false
        }
    }

    private func mutated(_ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = GoldenMessage.all.randomElement(using: &generator) ?? []
        for _ in 0..<Int.random(in: 1...4, using: &generator) { mutate(&bytes, &generator) }
        return bytes
    }

    private func mutate(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
        guard !bytes.isEmpty else { return }
        let index = Int.random(in: bytes.indices, using: &generator)
        let value =
            [0, 1, 0x7F, 0x80, 0xFF, UInt8.random(in: 0...255, using: &generator)]
            .randomElement(using: &generator) ?? 0
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: bytes[index] = value
        case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 2: bytes.insert(value, at: index)
        case 3: bytes.remove(at: index)
        case 4: bytes.removeLast(bytes.count - index)
        default: splice(&bytes, from: index, &generator)
        }
    }

    /// Goes on with the end of another message.
    private func splice(_ bytes: inout [UInt8], from index: Int, _ generator: inout SeededGenerator) {
        let other = GoldenMessage.all.randomElement(using: &generator) ?? []
        bytes.replaceSubrange(index..., with: other.suffix(Int.random(in: 0...other.count, using: &generator)))
    }
}
