/// Takes the fields of a message off its front, in order; names the one that is missing or wrong.
struct MessageReader {
    /// The whole message, its type byte included.
    let bytes: UnsafeRawBufferPointer
    /// As PostgreSQL's manual calls it.
    let message: StaticString
    /// Of the next field.
    private(set) var position: Int

    /// - Parameter position: behind the message's type.
    init(_ bytes: UnsafeRawBufferPointer, _ message: StaticString, from position: Int = 1) {
        self.bytes = bytes
        self.message = message
        self.position = position
    }

    var left: Int { bytes.count &- position }

    @inline(__always)
    mutating func integer<Integer: FixedWidthInteger>(
        _ field: StaticString, as type: Integer.Type = Integer.self
    ) throws(LogicalMessageError) -> Integer {
        let size = MemoryLayout<Integer>.size
        guard left >= size else { throw truncated(field, needed: size) }
        defer { position &+= size }
        return bytes.loadBigEndian(position, as: Integer.self)
    }

    mutating func lsn(_ field: StaticString) throws(LogicalMessageError) -> LSN {
        LSN(try integer(field, as: UInt64.self))
    }

    mutating func oid(_ field: StaticString) throws(LogicalMessageError) -> OID {
        OID(try integer(field, as: UInt32.self))
    }

    /// A string with the zero byte that ends it.
    mutating func string(_ field: StaticString) throws(LogicalMessageError) -> String {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
        guard let length = rest.firstIndex(of: 0) else { throw .unterminated(message: name, field: "\(field)") }
        guard let text = String(validating: rest[..<length], as: UTF8.self) else {
            throw damaged("\(field)", "is not UTF-8")
        }
        position &+= length &+ 1
        return text
    }

    /// The name of a relation or type; an empty schema stands for `pg_catalog`.
    mutating func qualifiedName() throws(LogicalMessageError) -> QualifiedName {
        let schema = try string("namespace")
        return QualifiedName(schema: schema.isEmpty ? "pg_catalog" : schema, name: try string("name"))
    }

    /// A number of columns, in the limits of PostgreSQL.
    mutating func columnCount() throws(LogicalMessageError) -> Int {
        let count = try integer("column_count", as: Int16.self)
        guard (0...TupleData.maximumColumns).contains(Int(count)) else { throw damaged("column_count", "is \(count)") }
        return Int(count)
    }

    /// Passes over `count` bytes.
    @inline(__always)
    mutating func skip(_ count: Int, _ field: StaticString) throws(LogicalMessageError) {
        guard left >= count else { throw truncated(field, needed: count) }
        position &+= count
    }

    func end() throws(LogicalMessageError) {
        guard left == 0 else { throw .excessBytes(message: name, count: left) }
    }

    func damaged(_ field: String, _ reason: String) -> LogicalMessageError {
        .damaged(message: name, field: field, reason: reason)
    }

    @inline(never)
    private func truncated(_ field: StaticString, needed: Int) -> LogicalMessageError {
        truncated("\(field)", needed: needed)
    }

    func truncated(_ field: String, needed: Int) -> LogicalMessageError {
        .truncated(message: name, field: field, needed: needed, left: left)
    }

    private var name: String { "\(message)" }
}
