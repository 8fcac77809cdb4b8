import Testing

@testable import Console

@Suite struct KeyDecoderTests {
    @Test func readsTextAndControlCharacters() {
        var decoder = KeyDecoder()

        #expect(decoder.feed("ab\u{1}\u{7F}é\r".utf8) == [.text("ab"), .home, .backspace, .text("é"), .enter])
        #expect(decoder.feed([0x03, 0x04, 0x00, 0x0A]) == [.interrupt, .endOfInput, .endOfInput, .enter])
        #expect(decoder.feed("\r\n".utf8) == [.enter])
    }

    @Test func readsTheSequencesOfSeveralTerminals() {
        var decoder = KeyDecoder()
        let keys = decoder.feed("\u{1B}[A\u{1B}OA\u{1B}[1~\u{1B}[H\u{1B}[1;5C\u{1B}[3~\u{1B}b\u{1B}\r\u{1B}[99z".utf8)

        #expect(keys == [.up, .up, .home, .home, .wordRight, .delete, .wordLeft, .lineBreak, .unknown])
    }

    @Test func isTheSameWhereverTheBytesAreCut() {
        let bytes = Array("日\u{1B}[1;5D\u{1B}[200~a\tb\u{1B}c\r\nd\u{1B}[201~ö\u{1B}[A\u{15}".utf8)
        let expected: [Key] = [
            .text("日"), .wordLeft, .paste("a\tb\u{1B}c\nd"), .text("ö"), .up, .killToStart,
        ]
        for cut in 0...bytes.count {
            var decoder = KeyDecoder()
            let keys = decoder.feed(bytes[..<cut]) + decoder.feed(bytes[cut...])
            #expect(keys == expected, "cut at \(cut)")
        }
        var decoder = KeyDecoder()
        #expect(bytes.flatMap { decoder.feed([$0]) } == expected)
    }

    @Test func aLoneEscapeStandsForItselfAfterAWhile() {
        var decoder = KeyDecoder()

        #expect(decoder.feed([0x1B]) == [])
        #expect(decoder.isWaiting)
        #expect(decoder.flush() == [.cancel])
        #expect(decoder.feed("x".utf8) == [.text("x")])
    }

    @Test func aPasteWaitsForItsEndHoweverLong() {
        var decoder = KeyDecoder()

        #expect(decoder.feed("\u{1B}[200~abc".utf8) == [])
        #expect(!decoder.isWaiting)
        #expect(decoder.flush() == [])
        #expect(decoder.feed("def\u{1B}[201~".utf8) == [.paste("abcdef")])
    }
}
