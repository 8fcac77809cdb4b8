import Testing

@testable import Scripting

@Suite struct ValuesMaskTests {
    private let hash = Array("key".utf8).withUnsafeBytes { KeyedHash(key: $0) }

    private func masked(_ text: String, _ body: (UnsafeRawBufferPointer) -> [UInt8]) -> String {
        String(decoding: Array(text.utf8).withUnsafeBytes(body), as: UTF8.self)
    }

    @Test func hashIsPlainHMAC() {
        let text = masked("The quick brown fox jumps over the lazy dog") { Mask.hash($0, hash) }

        #expect(text == "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8")
    }

    /// Data masked in one release must match data masked in the next.
    @Test func masksNeverChange() {
        let domain = Array("example.com".utf8)
        let email = masked("ann@example.org") { address in
            domain.withUnsafeBytes { Mask.email(address, hash, domain: $0) }
        }

        #expect(
            email
                == masked("ann@example.org") { address in
                    domain.withUnsafeBytes { Mask.email(address, hash, domain: $0) }
                })
        #expect(email.utf8.count == 28)
        #expect(MaskNames.first.count <= 256 && MaskNames.last.count <= 256)
        #expect(MaskNames.first.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } })
    }

    @Test(arguments: [
        ("", ""), ("12", "**"), ("12345", "*2345"), ("ÄÖÜ", "***"), ("a-b-c-d-e", "*-b-c-d-e"), ("日本語日本", "*本語日本"),
    ])
    func last4CountsCharacters(text: String, expected: String) {
        #expect(masked(text) { Mask.last4($0) } == expected)
    }

    @Test func phoneKeepsEveryPlace() {
        let number = "+49 (0)170 / 555-01"
        let result = masked(number) { Mask.phone($0, hash) }

        #expect(result.utf8.count == number.utf8.count)
        for (before, after) in zip(number.utf8, result.utf8) {
            #expect((before &- 0x30 <= 9) == (after &- 0x30 <= 9))
            if before &- 0x30 > 9 { #expect(before == after) }
        }
    }

    @Test func shiftIsNeverZeroAndWithinItsBounds() {
        for index in 0..<1000 {
            let hash = Array("key\(index)".utf8).withUnsafeBytes { KeyedHash(key: $0) }
            let shift = Mask.dayShift(hash, days: 3)

            #expect(shift != 0 && abs(shift) <= 3)
        }
    }

    @Test func remembersSomeKeys() {
        let digests = (0..<100).map { index in
            Array("key\(index % 20)".utf8).withUnsafeBytes { key in
                let hash = MaskKeys.hash(for: key)
                return Array("v".utf8).withUnsafeBytes { Hexadecimal.encode(Array(hash.digest($0))) }
            }
        }

        #expect(Set(digests).count == 20)
        #expect(digests[0] == digests[20] && digests[0] == digests[80])
    }
}
