/// Where and why a text is not JSON.
package struct JSONSyntaxError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Reason: Equatable, Sendable {
        case empty
        case expectedValue
        case expectedKey
        case expectedColon
        case expectedCommaOrEnd(of: String)
        case unfinishedString
        case controlCharacter(UInt8)
        case badEscape
        case loneSurrogate
        case invalidUTF8
        case badNumber
        case numberOutOfRange
        case tooDeep
        case trailingText
        case noMemory
    }

    package let reason: Reason
    /// Bytes before the offending one.
    package let offset: Int
    /// From 1.
    package let line: Int
    /// In bytes, from 1.
    package let column: Int

    package var description: String {
        "\(reason.description) at line \(line), column \(column) (byte \(offset + 1))"
    }
}

extension JSONSyntaxError.Reason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .empty: "no value: the text is empty"
        case .expectedValue: "expected a value"
        case .expectedKey: "expected a string as key"
        case .expectedColon: "expected \":\" after the key"
        case .expectedCommaOrEnd(let end): "expected \",\" or \"\(end)\""
        case .unfinishedString: "string without an end"
        case .controlCharacter(let byte):
            "control character 0x\(byte < 16 ? "0" : "")\(String(byte, radix: 16)) in a string"
        case .badEscape: "unknown escape in a string"
        case .loneSurrogate: "half of a surrogate pair in a string"
        case .invalidUTF8: "invalid UTF-8 in a string"
        case .badNumber: "malformed number"
        case .numberOutOfRange: "number out of the range of a decimal"
        case .tooDeep: "nested deeper than \(JSONDecoder.deepest) levels"
        case .trailingText: "text after the value"
        case .noMemory: "no memory for the value"
        }
    }
}
