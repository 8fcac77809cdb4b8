/// Makes keys of what a terminal sends: UTF-8, control characters, escape sequences, pastes in brackets.
struct KeyDecoder {
    private var bytes: [UInt8] = []
    /// The text of a paste that has not ended yet.
    private var paste: [UInt8]?

    private static let escape: UInt8 = 0x1B
    private static let pasteEnd: [UInt8] = Array("\u{1B}[201~".utf8)

    /// A sequence has begun that more bytes may complete.
    var isWaiting: Bool { !bytes.isEmpty && paste == nil }

    mutating func feed(_ new: some Sequence<UInt8>) -> [Key] {
        bytes += new
        var keys: [Key] = []
        while let key = next() { keys.append(key) }
        return keys
    }

    /// No more bytes have come for a while: what is there stands for itself.
    mutating func flush() -> [Key] {
        guard isWaiting else { return [] }
        let isEscape = bytes.first == Self.escape
        bytes = []
        return [isEscape ? .cancel : .unknown]
    }

    /// nil if more bytes are needed.
    private mutating func next() -> Key? {
        if paste != nil { return takePaste() }
        guard let first = bytes.first else { return nil }
        if first == Self.escape { return takeSequence() }
        if first < 0x20 || first == 0x7F { return takeControl(first) }
        return takeText()
    }

    // MARK: Text

    private mutating func takeText() -> Key? {
        var end = 0
        while end < bytes.count, bytes[end] >= 0x20, bytes[end] != 0x7F {
            let length = Self.length(of: bytes[end])
            guard end + length <= bytes.count else { break }
            end += length
        }
        guard end > 0 else { return nil }
        let text = String(decoding: bytes[..<end], as: UTF8.self)
        bytes.removeFirst(end)
        return .text(text)
    }

    /// Of the UTF-8 sequence that begins with this byte.
    private static func length(of lead: UInt8) -> Int {
        switch lead {
        case 0xC2...0xDF: 2
        case 0xE0...0xEF: 3
        case 0xF0...0xF4: 4
        default: 1
        }
    }

    /// Terminals send CR for a line break; kept from an editor's eyes, LF.
    private mutating func takePaste() -> Key? {
        guard var text = paste else { return nil }
        while let byte = bytes.first {
            if byte == Self.escape {
                let isEnd = bytes.starts(with: Self.pasteEnd)
                if !isEnd, Self.pasteEnd.starts(with: bytes) { break }
                if isEnd {
                    bytes.removeFirst(Self.pasteEnd.count)
                    paste = nil
                    return .paste(Self.cleaned(text))
                }
            }
            let chunk = bytes.dropFirst().prefix { $0 != Self.escape }
            text.append(byte)
            text += chunk
            bytes.removeFirst(1 + chunk.count)
        }
        paste = text
        return nil
    }

    private static func cleaned(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.filter { $0 != 0 }, as: UTF8.self)
            .replacing("\r\n", with: "\n").replacing("\r", with: "\n")
    }

    // MARK: Control characters

    private mutating func takeControl(_ byte: UInt8) -> Key {
        bytes.removeFirst()
        // A terminal that translates sends one of them; both together come from files and programs.
        if byte == 0x0D, bytes.first == 0x0A { bytes.removeFirst() }
        return switch byte {
        case 0x01: .home
        case 0x02: .left
        case 0x03: .interrupt
        // NUL is what a Ctrl-D has become that was typed while the terminal itself edited lines.
        case 0x00, 0x04: .endOfInput
        case 0x05: .end
        case 0x06: .right
        case 0x07: .cancel
        case 0x08, 0x7F: .backspace
        case 0x09: .tab
        case 0x0A, 0x0D: .enter
        case 0x0B: .killToEnd
        case 0x0C: .clearScreen
        case 0x0E: .down
        case 0x10: .up
        case 0x12: .search
        case 0x14: .transpose
        case 0x15: .killToStart
        case 0x17: .killWordBefore
        case 0x19: .yank
        case 0x1A: .suspend
        case 0x1F: .undo
        default: .unknown
        }
    }

    // MARK: Escape sequences

    private mutating func takeSequence() -> Key? {
        guard bytes.count > 1 else { return nil }
        switch bytes[1] {
        case UInt8(ascii: "["): return takeControlSequence()
        case UInt8(ascii: "O"):
            guard bytes.count > 2 else { return nil }
            defer { bytes.removeFirst(3) }
            return Self.key(final: bytes[2], parameters: [])
        case Self.escape:
            bytes.removeFirst()
            return .cancel
        default:
            defer { bytes.removeFirst(2) }
            return Self.alternate(bytes[1])
        }
    }

    private mutating func takeControlSequence() -> Key? {
        guard let end = bytes.dropFirst(2).firstIndex(where: { (0x40...0x7E).contains($0) }) else {
            guard bytes.count < 32 else {
                bytes = []
                return .unknown
            }
            return nil
        }
        let parameters = String(decoding: bytes[2..<end], as: UTF8.self).split(
            separator: ";", omittingEmptySubsequences: false
        ).map { Int($0) ?? 0 }
        let final = bytes[end]
        bytes.removeFirst(end + 1)
        if final == UInt8(ascii: "~"), parameters.first == 200 {
            paste = []
            return takePaste()
        }
        return Self.key(final: final, parameters: parameters)
    }

    private static func key(final: UInt8, parameters: [Int]) -> Key {
        let isByWords = parameters.count > 1 && parameters[1] > 2
        switch final {
        case UInt8(ascii: "A"): return .up
        case UInt8(ascii: "B"): return .down
        case UInt8(ascii: "C"): return isByWords ? .wordRight : .right
        case UInt8(ascii: "D"): return isByWords ? .wordLeft : .left
        case UInt8(ascii: "H"): return .home
        case UInt8(ascii: "F"): return .end
        case UInt8(ascii: "~"): break
        default: return .unknown
        }
        return switch parameters.first {
        case 1, 7: .home
        case 4, 8: .end
        case 3: .delete
        default: .unknown
        }
    }

    private static func alternate(_ byte: UInt8) -> Key {
        switch byte {
        case UInt8(ascii: "b"), UInt8(ascii: "B"): .wordLeft
        case UInt8(ascii: "f"), UInt8(ascii: "F"): .wordRight
        case UInt8(ascii: "d"), UInt8(ascii: "D"): .killPartAfter
        case 0x08, 0x7F: .killPartBefore
        case 0x0A, 0x0D: .lineBreak
        default: .unknown
        }
    }
}
