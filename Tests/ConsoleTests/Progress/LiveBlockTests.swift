import Testing

@testable import Console

@Suite struct LiveBlockTests {
    @Test func drawsBelowTheCursorAndComesBack() {
        #expect(LiveBlock.drawing(["a", "b"]) == "\u{1B}[K\n\ra\u{1B}[K\n\rb\u{1B}[K\u{1B}[J\u{1B}[2A\r")
        #expect(LiveBlock.drawing([]) == "\r\u{1B}[J")
    }

    @Test func erasesOnlyWhatIsThere() {
        #expect(LiveBlock().erasure == "")
    }

    @Test(arguments: [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("一二三", 4, "一…"), ("ab", 0, ""), ("ab", 1, "…")])
    func cutsText(_ text: String, _ width: Int, _ expected: String) {
        #expect(TextColumns.cut(text, to: width) == expected)
    }

    @Test func keepsTheEndOfNames() {
        #expect(TextColumns.cutLeft("public.orders", to: 7) == "…orders")
        #expect(TextColumns.cutLeft("一二三", to: 5) == "…二三")
    }
}
