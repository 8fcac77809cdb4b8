import CLua
import LuaRuntime
import PostgresProtocol

/// Why a Lua value cannot become a field.
enum FieldError: Error {
    case codec(CodecError)
    case json(JSONEncodingError)
    /// The value's Lua type does not fit: "a table cannot be stored as bigint".
    case type(String)

    var description: String {
        switch self {
        case .codec(let error): error.description
        case .json(let error): error.description
        case .type(let text): text
        }
    }
}

/// Turns Lua values into fields: the other direction of `FieldReader`.
struct FieldWriter: ~Copyable {
    private var scratch = ByteBuffer()

    /// Appends the value at `index` for a column of `kind`; false means NULL, and nothing was appended.
    mutating func append(
        _ index: Int32, of stack: LuaStack, as kind: ValueKind, _ format: DataFormat, to buffer: inout ByteBuffer
    ) throws(FieldError) -> Bool {
        switch stack.type(at: index) {
        case .none, .nil, .lightUserdata: return false
        case .string: try appendString(index, of: stack, as: kind, format, to: &buffer)
        case .number: try appendNumber(index, of: stack, as: kind, format, to: &buffer)
        case .boolean:
            let value = stack.isTrue(at: index)
            do throws(CodecError) {
                if Self.takesText(kind) {
                    try appendText(value ? "true" : "false", as: kind, format, to: &buffer)
                } else {
                    try FieldEncoder.append(value, as: kind, format, to: &buffer)
                }
            } catch {
                throw .codec(error)
            }
        case .userdata: try appendText(of: index, stack, as: kind, format, to: &buffer)
        case .table: try appendTable(index, of: stack, as: kind, format, to: &buffer)
        case .function, .thread: throw .type("a \(stack.describe(at: index)) cannot be stored as \(kind)")
        }
        return true
    }

    /// Kinds that take a number or a boolean by its text.
    private static func takesText(_ kind: ValueKind) -> Bool { kind == .text || kind == .other || kind == .jsonb }

    private func appendString(
        _ index: Int32, of stack: LuaStack, as kind: ValueKind, _ format: DataFormat, to buffer: inout ByteBuffer
    ) throws(FieldError) {
        guard let bytes = stack.bytes(at: index) else { return }
        do throws(CodecError) {
            if kind == .bytea {
                try FieldEncoder.append(bytes: bytes, as: kind, format, to: &buffer)
            } else {
                try FieldEncoder.append(text: bytes, as: kind, format, to: &buffer)
            }
        } catch {
            throw .codec(error)
        }
    }

    private mutating func appendNumber(
        _ index: Int32, of stack: LuaStack, as kind: ValueKind, _ format: DataFormat, to buffer: inout ByteBuffer
    ) throws(FieldError) {
        let isText = Self.takesText(kind)
        do throws(CodecError) {
            if stack.isInteger(at: index), let value = stack.integer(at: index) {
                guard isText else { return try FieldEncoder.append(value, as: kind, format, to: &buffer) }
                try appendText("\(value)", as: kind, format, to: &buffer)
            } else if let value = stack.number(at: index) {
                guard isText else { return try FieldEncoder.append(value, as: kind, format, to: &buffer) }
                try appendText("\(value)", as: kind, format, to: &buffer)
            }
        } catch {
            throw .codec(error)
        }
    }

    private mutating func appendText(
        _ text: String, as kind: ValueKind, _ format: DataFormat, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        scratch.removeAll()
        scratch.append(text)
        try FieldEncoder.append(text: scratch.bytes, as: kind, format, to: &buffer)
    }

    /// Decimals and times go by their text form.
    private mutating func appendText(
        of index: Int32, _ stack: LuaStack, as kind: ValueKind, _ format: DataFormat, to buffer: inout ByteBuffer
    ) throws(FieldError) {
        guard let text = Self.text(of: index, stack) else {
            throw .type("a \(stack.describe(at: index)) cannot be stored as \(kind)")
        }
        do { try appendText(text, as: kind, format, to: &buffer) } catch { throw .codec(error) }
    }

    /// The text form of a decimal or a time; nil for any other userdata.
    static func text(of index: Int32, _ stack: LuaStack) -> String? {
        if let decimal = DecimalUserdata.read(at: index, of: stack.thread) { return decimal.description }
        return TimeUserdata.read(at: index, of: stack.thread)?.description
    }

    private mutating func appendTable(
        _ index: Int32, of stack: LuaStack, as kind: ValueKind, _ format: DataFormat, to buffer: inout ByteBuffer
    ) throws(FieldError) {
        switch kind {
        case .array(let element):
            try appendArray(index, of: stack, element: element, format, to: &buffer)
        case .jsonb, .text, .other:
            let json = try Self.json(index, of: stack)
            scratch.removeAll(keepingAtMost: 1 << 16)
            scratch.append(json)
            do { try FieldEncoder.append(text: scratch.bytes, as: kind, format, to: &buffer) } catch {
                throw .codec(error)
            }
        default: throw .type("a table cannot be stored as \(kind)")
        }
    }

    static func json(_ index: Int32, of stack: LuaStack) throws(FieldError) -> [UInt8] {
        var encoder = JSONEncoder(state: stack.thread)
        do { return try encoder.encode(at: index) } catch { throw .json(error) }
    }

    // MARK: Arrays

    mutating func appendArray(
        _ index: Int32, of stack: LuaStack, element: OID, _ format: DataFormat, to buffer: inout ByteBuffer
    ) throws(FieldError) {
        let shape = try shape(ofArrayAt: index, of: stack)
        var writer = ArrayWriter(shape, element: element, format: format, to: &buffer)
        if shape.dimensions > 0 {
            try appendDimension(0, index, of: stack, shape, ValueKind(element), format, &writer, to: &buffer)
        }
        do { try writer.finish(to: &buffer) } catch { throw .codec(error) }
    }

    private mutating func appendDimension(
        _ dimension: Int, _ index: Int32, of stack: LuaStack, _ shape: ArrayShape, _ kind: ValueKind,
        _ format: DataFormat, _ writer: inout ArrayWriter, to buffer: inout ByteBuffer
    ) throws(FieldError) {
        guard stack.type(at: index) == .table, stack.arrayLength(at: index) == shape.length(dimension) else {
            throw .type("multidimensional arrays must have the same length in every part")
        }
        do { try stack.reserve(4) } catch { throw .type(error.message) }
        for position in 0..<shape.length(dimension) {
            stack.pushElement(position + 1, of: index)
            defer { stack.pop() }
            if dimension + 1 < shape.dimensions {
                try appendDimension(dimension + 1, stack.count, of: stack, shape, kind, format, &writer, to: &buffer)
            } else {
                try appendElement(of: stack, kind, format, &writer, to: &buffer)
            }
        }
    }

    /// The element is on top of the stack.
    private mutating func appendElement(
        of stack: LuaStack, _ kind: ValueKind, _ format: DataFormat, _ writer: inout ArrayWriter,
        to buffer: inout ByteBuffer
    ) throws(FieldError) {
        let type = stack.type(at: -1)
        if type == .nil || type == .lightUserdata { return writer.appendNull(to: &buffer) }
        var failure: FieldError?
        do {
            try writer.append(to: &buffer) { buffer throws(CodecError) in
                do throws(FieldError) {
                    var writer = FieldWriter()
                    _ = try writer.append(stack.count, of: stack, as: kind, format, to: &buffer)
                } catch {
                    failure = error
                }
            }
        } catch {
            throw .codec(error)
        }
        if let failure { throw failure }
    }

    private func shape(ofArrayAt index: Int32, of stack: LuaStack) throws(FieldError) -> ArrayShape {
        var lengths: [Int] = []
        let top = stack.count
        defer { stack.setCount(top) }
        stack.pushCopy(of: index)
        while stack.type(at: -1) == .table {
            let length = stack.arrayLength(at: -1)
            if length == 0 { return .empty }
            lengths.append(length)
            guard lengths.count <= ArrayShape.maximumDimensions else {
                throw .type("an array has at most 6 dimensions")
            }
            do { try stack.reserve(2) } catch { throw .type(error.message) }
            stack.pushElement(1, of: stack.count)
        }
        guard let shape = ArrayShape(lengths: lengths, lowerBounds: lowerBounds(of: index, stack, lengths.count)) else {
            throw .type("the array's dimensions are out of range")
        }
        return shape
    }

    private func lowerBounds(of index: Int32, _ stack: LuaStack, _ count: Int) -> [Int]? {
        defer { stack.pop() }
        guard stack.getField("bounds", of: index) == .table else { return nil }
        let table = stack.count
        return (1...count).map { position in
            stack.pushElement(position, of: table)
            defer { stack.pop() }
            return stack.integer(at: -1).map(Int.init) ?? 1
        }
    }
}

extension LuaStack {
    /// Pushes element `position` of the table at `index`, without metamethods.
    func pushElement(_ position: Int, of index: Int32) { lua_rawgeti(thread, index, Int64(position)) }

    /// `n` if the table has it, else its border.
    func arrayLength(at index: Int32) -> Int {
        let table = lua_absindex(thread, index)
        let hasCount = getField("n", of: table) == .number
        defer { pop() }
        return hasCount ? max(0, integer(at: -1).map(Int.init) ?? 0) : rawCount(at: table)
    }
}
