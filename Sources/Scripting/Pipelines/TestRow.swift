import LuaRuntime
import PostgresProtocol

/// Rows of tests: made from a table of values, as if they had come from PostgreSQL.
enum TestRow {
    /// Arguments: a list of `{ name =, type = }` (`type` absent: as the value is), a table of values by column name, and
    /// a list of names of added columns. Pushes the row.
    static func push(_ stack: LuaStack, _ worker: ScriptWorker) throws(ScriptError) -> Int32 {
        let columns = try columns(stack)
        let format: DataFormat = columns.allSatisfy(\.kind.hasPortableBinary) ? .binary : .text
        let encoder = RowEncoder(columns.map { .init(name: $0.name, kind: $0.kind) }, format, worker.rows)
        var buffer = ByteBuffer()
        try encoder.appendTable(at: 2, of: stack, to: &buffer)
        let shown = columns.map {
            RowShape.Column(name: $0.name, type: $0.type, kind: $0.kind, format: format)
        }
        let factory = worker.rows.factory(shown, added: added(stack), in: stack)
        do throws(CopyError) {
            if format == .binary {
                let tuple = try CopyBinaryTuple(buffer.bytes)
                let size = try RowLayout.size(ofBinaryTuple: tuple, columns: columns.count)
                try RowLayout.fill(RowUserdata.push(factory, size: size, to: stack), fromBinaryTuple: tuple)
            } else {
                let size = RowLayout.size(ofTextLine: buffer.bytes, columns: columns.count)
                let row = RowUserdata.push(factory, size: size, to: stack)
                _ = try RowLayout.fill(row, fromTextLine: buffer.bytes, columns: columns.count)
            }
        } catch {
            throw ScriptError(code: "RH2210", "COPY: \(error)")
        }
        return 1
    }

    private struct Column {
        let name: String
        let type: OID
        var kind: ValueKind { ValueKind(type) }
    }

    private static func columns(_ stack: LuaStack) throws(ScriptError) -> [Column] {
        var columns: [Column] = []
        for position in 0..<stack.rawCount(at: 1) {
            stack.pushElement(position + 1, of: 1)
            let description = stack.count
            defer { stack.setCount(description - 1) }
            stack.getField("name", of: description)
            let name = stack.string(at: -1) ?? ""
            if stack.getField("type", of: description) == .string, let text = stack.string(at: -1) {
                columns.append(Column(name: name, type: TypeName.oid(of: text)))
            } else {
                stack.getField(name, of: 2)
                columns.append(Column(name: name, type: type(at: stack.count, stack)))
            }
        }
        return columns
    }

    /// What a column would be that has the value at `index`.
    private static func type(at index: Int32, _ stack: LuaStack) -> OID {
        switch stack.type(at: index) {
        case .boolean: .bool
        case .number: stack.isInteger(at: index) ? .int8 : .float8
        case .table:
            JSONMark.isPresent(at: index, of: stack) || stack.rawCount(at: index) == 0 ? .jsonb : array(index, stack)
        case .userdata: DecimalUserdata.read(at: index, of: stack.thread) == nil ? .text : .numeric
        case .none, .nil, .lightUserdata, .string, .function, .thread: .text
        }
    }

    private static func array(_ index: Int32, _ stack: LuaStack) -> OID {
        stack.pushElement(1, of: index)
        defer { stack.pop() }
        switch stack.type(at: -1) {
        case .number: return stack.isInteger(at: -1) ? OID(1016) : OID(1022)
        case .string: return OID(1009)
        case .boolean: return OID(1000)
        default: return .jsonb
        }
    }

    private static func added(_ stack: LuaStack) -> [RowShape.Column] {
        guard stack.type(at: 3) == .table else { return [] }
        return (0..<stack.rawCount(at: 3)).compactMap { position in
            stack.pushElement(position + 1, of: 3)
            defer { stack.pop() }
            return stack.string(at: -1).map { .init(name: $0, type: .text, kind: .text, format: .text) }
        }
    }
}

/// PostgreSQL's names of its built-in types, as `format_type` and people write them.
enum TypeName {
    private static let scalars: [String: OID] = [
        "boolean": .bool, "bool": .bool, "smallint": .int2, "int2": .int2, "integer": .int4, "int": .int4,
        "int4": .int4, "bigint": .int8, "int8": .int8, "oid": .oid, "real": .float4, "float4": .float4,
        "double precision": .float8, "float8": .float8, "numeric": .numeric, "decimal": .numeric, "text": .text,
        "character varying": .varchar, "varchar": .varchar, "character": .bpchar, "char": .bpchar, "bpchar": .bpchar,
        "\"char\"": .char, "name": .name, "json": .json, "jsonb": .jsonb, "bytea": .bytea, "date": .date,
        "time": .time, "time without time zone": .time, "timetz": .timetz, "time with time zone": .timetz,
        "timestamp": .timestamp, "timestamp without time zone": .timestamp, "timestamptz": .timestamptz,
        "timestamp with time zone": .timestamptz, "interval": .interval, "uuid": .uuid, "inet": .inet, "cidr": .cidr,
        "macaddr": .macaddr, "macaddr8": .macaddr8, "pg_lsn": .pgLSN, "bit": .bit, "bit varying": .varbit,
        "varbit": .varbit, "xml": .xml,
    ]

    /// Of a type that is not known here, `.unknown`'s: its values are text.
    static func oid(of text: String) -> OID {
        var name = text.lowercased()
        let isArray = name.hasSuffix("[]")
        while name.hasSuffix("[]") { name.removeLast(2) }
        if let open = name.firstIndex(of: "("), let close = name.firstIndex(of: ")"), open < close {
            name.removeSubrange(open...close)
        }
        let words = name.split(separator: " ").joined(separator: " ")
        guard let scalar = scalars[words] else { return .unknown }
        return isArray ? array(of: scalar) ?? .unknown : scalar
    }

    private static func array(of element: OID) -> OID? {
        (1..<OID.firstUserDefined.rawValue).lazy.map(OID.init(_:)).first { $0.element == element }
    }
}
