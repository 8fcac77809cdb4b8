import PostgresProtocol

/// Parameters in the form libpq takes them: one buffer of values, with offsets, lengths and formats beside it.
struct ParameterBlock {
    /// Bytes of all values; text forms end with a zero byte.
    private(set) var bytes: [UInt8] = []
    /// Into `bytes`; -1 for NULL.
    private(set) var offsets: [Int] = []
    private(set) var lengths: [CInt] = []
    /// 0 text, 1 binary.
    private(set) var formats: [CInt] = []

    var count: Int { offsets.count }

    /// `types` are the server's, one for each parameter, or `.invalid` where they are not known.
    init(_ parameters: [Parameter], types: [OID]) throws(PostgresError) {
        guard parameters.count == types.count else {
            throw .parameterCount(expected: types.count, given: parameters.count)
        }
        guard parameters.count <= Int(UInt16.max) else {
            throw .parameterCount(expected: 65535, given: parameters.count)
        }
        for (index, parameter) in parameters.enumerated() {
            try append(parameter, type: types[index], index: index + 1)
        }
    }

    private mutating func append(_ parameter: Parameter, type: OID, index: Int) throws(PostgresError) {
        switch parameter {
        case .null: appendNull()
        case .boolean(let value): appendBinary(CollectionOfOne(value ? 1 : 0))
        case .integer(let value):
            if let narrow = Int32(exactly: value) { appendBigEndian(narrow) } else { appendBigEndian(value) }
        case .float(let value): appendBigEndian(value.bitPattern)
        case .bytes(let value), .binary(_, let value): appendBinary(value)
        case .text(let value):
            if Self.isRaw(type) { appendBinary(value) } else { try appendText(value, index: index) }
        case .typed(_, let value):
            if Self.isRaw(type), type != .bytea { appendBinary(value) } else { try appendText(value, index: index) }
        }
    }

    /// The binary form is what a script calls the value: no zero byte ends it, no escapes.
    private static func isRaw(_ type: OID) -> Bool {
        type == .bytea || type == .text || type == .varchar || type == .bpchar
    }

    private mutating func appendNull() {
        offsets.append(-1)
        lengths.append(0)
        formats.append(0)
    }

    private mutating func appendBinary(_ value: some Collection<UInt8>) {
        offsets.append(bytes.count)
        lengths.append(CInt(clamping: value.count))
        formats.append(1)
        bytes.append(contentsOf: value)
        bytes.append(0)
    }

    private mutating func appendBigEndian(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { appendBinary($0) }
    }

    private mutating func appendText(_ value: [UInt8], index: Int) throws(PostgresError) {
        guard !value.contains(0) else {
            throw .invalidParameter(index: index, reason: "the text contains a zero byte")
        }
        offsets.append(bytes.count)
        lengths.append(CInt(clamping: value.count))
        formats.append(0)
        bytes.append(contentsOf: value)
        bytes.append(0)
    }

    /// The four arguments of libpq's send functions. The pointers are valid during the call.
    func withPointers<Result>(
        _ body: (CInt, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<CInt>?, UnsafePointer<CInt>?) -> Result
    ) -> Result {
        guard !offsets.isEmpty else { return body(0, nil, nil, nil) }
        return bytes.withUnsafeBytes { memory in
            let base = memory.baseAddress
            let values = offsets.map { offset in
                offset < 0 ? nil : base.map { ($0 + offset).assumingMemoryBound(to: CChar.self) }
            }
            return body(CInt(offsets.count), values, lengths, formats)
        }
    }
}
