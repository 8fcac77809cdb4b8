/// Why a message of a replication stream could not be decoded. Never holds a value of a row.
package enum LogicalMessageError: Error, Equatable, Sendable {
    case truncated(message: String, field: String, needed: Int, left: Int)
    /// A string without the zero byte that ends it.
    case unterminated(message: String, field: String)
    case damaged(message: String, field: String, reason: String)
    case excessBytes(message: String, count: Int)
    case tooLong(bytes: Int)
    /// A message of a later protocol version than the one that was asked for.
    case unsupported(message: String, version: Int)
    case unknownMessage(type: UInt8)
    /// Neither XLogData nor a keepalive.
    case unknownFrame(type: UInt8)
}

extension LogicalMessageError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .truncated(let message, let field, let needed, let left):
            "truncated \(message) message: field \"\(field)\" needs \(needed) byte\(needed == 1 ? "" : "s"), \(left) left"
        case .unterminated(let message, let field):
            "truncated \(message) message: field \"\(field)\" has no end"
        case .damaged(let message, let field, let reason):
            "damaged \(message) message: field \"\(field)\" \(reason)"
        case .excessBytes(let message, let count):
            "damaged \(message) message: \(count) byte\(count == 1 ? "" : "s") after its last field"
        case .tooLong(let bytes):
            "damaged replication stream: a message of \(bytes) bytes"
        case .unsupported(let message, let version):
            "\(message) message of logical replication protocol \(version), expected protocol 1"
        case .unknownMessage(let type):
            "unknown logical replication message of type \(Self.name(type))"
        case .unknownFrame(let type):
            "unknown replication stream message of type \(Self.name(type))"
        }
    }

    private static func name(_ type: UInt8) -> String {
        ASCII.isLetter(type) ? "\"\(Unicode.Scalar(type))\"" : "0x\(String(type, radix: 16))"
    }
}
