/// Why COPY data could not be read. Fields are counted from 0 here, from 1 in the text.
public enum CopyError: Error, Equatable, Sendable {
    case badSignature
    case truncatedHeader(needed: Int, left: Int)
    /// Flags that change the format and are unknown here (bits 16 to 31).
    case unsupportedFlags(UInt32)
    case truncatedTuple(needed: Int, left: Int)
    case truncatedField(field: Int, needed: Int, left: Int)
    case badFieldLength(field: Int, length: Int32)
    case wrongFieldCount(expected: Int, found: Int)
    /// A message of one row holds more than the row.
    case excessBytes(Int)
    case dataAfterTrailer
    case missingTrailer(left: Int)
    /// A line of text ends with a backslash.
    case truncatedEscape(field: Int)
}

extension CopyError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .badSignature:
            "damaged COPY data: no binary COPY signature"
        case .truncatedHeader(let needed, let left):
            "truncated COPY header: \(needed) bytes needed, \(left) left"
        case .unsupportedFlags(let flags):
            "unsupported COPY flags 0x\(String(flags, radix: 16))"
        case .truncatedTuple(let needed, let left):
            "truncated COPY row: field count needs \(needed) bytes, \(left) left"
        case .truncatedField(let field, let needed, let left):
            "truncated COPY row: field \(field + 1) needs \(needed) bytes, \(left) left"
        case .badFieldLength(let field, let length):
            "damaged COPY row: field \(field + 1) has length \(length)"
        case .wrongFieldCount(let expected, let found):
            "COPY row has \(found) fields, expected \(expected)"
        case .excessBytes(let count):
            "damaged COPY row: \(count) bytes after the last field"
        case .dataAfterTrailer:
            "damaged COPY data: bytes after the trailer"
        case .missingTrailer(let left):
            "COPY data ended without its trailer, \(left) bytes not understood"
        case .truncatedEscape(let field):
            "damaged COPY row: field \(field + 1) ends inside an escape"
        }
    }
}
