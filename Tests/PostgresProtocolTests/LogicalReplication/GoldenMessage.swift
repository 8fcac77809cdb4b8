import PostgresProtocol

/// Messages as a server sends them, put together by hand from the manual's descriptions.
enum GoldenMessage {
    static let begin = hex("42 00000000016b3748 0002a1b2c3d4e5f6 000002f1")
    static let commit = hex("43 00 00000000016b3748 00000000016b3778 0002a1b2c3d4e5f6")
    static let origin = hex("4f 0000000a00000028") + name("node \"å\"")
    static let relation =
        hex("52 00004001") + name("public") + name("orders") + hex("64 0003")
        + hex("01") + name("id") + hex("00000014 ffffffff")
        + hex("00") + name("note") + hex("00000019 ffffffff")
        + hex("00") + name("amount") + hex("000006a4 000a0006")
    static let type = hex("59 00004005") + name("") + name("mood")
    static let insert = hex("49 00004001 4e") + row
    static let updateWithoutOld = hex("55 00004001 4e") + rowWithUnchanged
    static let updateOfKey = hex("55 00004001 4b") + key + hex("4e") + row
    static let updateOfFullRow = hex("55 00004001 4f") + row + hex("4e") + rowWithUnchanged
    static let deleteByKey = hex("44 00004001 4b") + key
    static let deleteByFullRow = hex("44 00004001 4f") + row
    static let truncate = hex("54 00000002 03 00004001 00004007")
    static let message = hex("4d 01 00000000016b3748") + name("replhost") + hex("00000004 70696e67")

    static let all = [
        begin, commit, origin, relation, type, insert, updateWithoutOld, updateOfKey, updateOfFullRow, deleteByKey,
        deleteByFullRow, truncate, message,
    ]

    static let keepalive = hex("6b 00000000016b3748 0002a1b2c3d4e5f6 01")
    static let dataHeader = hex("77 00000000016b3748 00000000016b3778 0002a1b2c3d4e5f6")

    /// 42 in binary, 'hi' in text, NULL.
    private static let row = hex("0003 62 00000008 000000000000002a 74 00000002 6869 6e")
    private static let rowWithUnchanged = hex("0003 62 00000008 000000000000002a 75 62 00000000")
    private static let key = hex("0003 62 00000008 0000000000000029 6e 6e")

    static func name(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }
}

/// A message, and the fields of its rows.
struct Decoded {
    let message: LogicalMessage
    let old: [String]
    let new: [String]

    init(_ bytes: [UInt8]) throws(LogicalMessageError) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
        defer { copy.deallocate() }
        copy.copyBytes(from: bytes)
        let raw = UnsafeRawBufferPointer(copy)
        message = try LogicalMessage(decoding: raw)
        let rows = Self.rows(of: message)
        old = rows.old.map { Self.fields($0, raw) } ?? []
        new = rows.new.map { Self.fields($0, raw) } ?? []
    }

    private static func rows(of message: LogicalMessage) -> (old: TupleData?, new: TupleData?) {
        switch message {
        case .insert(let insert): (nil, insert.new)
        case .update(let update): (update.old?.tuple, update.new)
        case .delete(let delete): (delete.old.tuple, nil)
        case .begin, .commit, .origin, .relation, .type, .truncate, .message: (nil, nil)
        }
    }

    /// Reads every byte of every value.
    private static func fields(_ tuple: TupleData, _ message: UnsafeRawBufferPointer) -> [String] {
        var fields: [TupleField] = []
        tuple.readFields(in: message, into: &fields)
        return fields.map { field in
            let digits = field.bytes(in: message).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
            return "\(field.kind) \(digits.joined())"
        }
    }
}
