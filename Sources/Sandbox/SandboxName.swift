/// What may stand behind `sandbox:` in a DSN. It names a directory, so it is narrow.
package struct SandboxName: Hashable, Sendable, CustomStringConvertible {
    package static let maxLength = 40

    package let text: String

    package init(_ text: String) throws(SandboxError) {
        guard Self.isValid(text) else { throw .invalidName(text) }
        self.text = text
    }

    package var description: String { text }

    private static func isValid(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, bytes.count <= maxLength, isLetterOrDigit(first) else { return false }
        return bytes.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
