import CLua

/// A place where a script's text reads or writes a global variable.
package struct GlobalAccess: Hashable, Sendable {
    package var name: String
    package var line: Int
    package var isWrite: Bool
}

/// What a compiled chunk says of names.
package struct ChunkNames: Sendable {
    /// In the order of the text, as far as the compiler keeps it.
    package internal(set) var globals: [GlobalAccess] = []
    package internal(set) var locals: Set<String> = []
}

extension LuaState {
    /// The names in a script's text, which is compiled for that and does not run.
    package func names(in text: String) throws(ScriptError) -> ChunkNames {
        try load(text, named: "=names")
        defer { stack.pop() }
        var bytes: [UInt8] = []
        withUnsafeMutablePointer(to: &bytes) { pointer in _ = lua_dump(stack.thread, appendPiece, pointer, 0) }
        var reader = CompiledChunkReader(bytes)
        return reader.names()
    }
}

private func appendPiece(
    _ thread: OpaquePointer?, _ piece: UnsafeRawPointer?, _ size: Int, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    // Safe: the pointer that `lua_dump` was given, to bytes that live as long as the call.
    context?.assumingMemoryBound(to: [UInt8].self).pointee
        .append(contentsOf: UnsafeRawBufferPointer(start: piece, count: piece == nil ? 0 : size))
    return 0
}

/// Reads what `string.dump` of Lua 5.4 writes (ldump.c, lopcodes.h): globals are the fields of the main function's first
/// upvalue, `_ENV`, in the instructions GETTABUP and SETTABUP. Functions with more than 255 constants read the names
/// behind those in other ways, and are silent about them.
struct CompiledChunkReader {
    private let bytes: [UInt8]
    private var position: Int
    private var found = ChunkNames()

    private enum Size {
        /// Signature, version, format, check bytes, three sizes, an integer and a float.
        static let header = 4 + 1 + 1 + 6 + 3 + 8 + 8
        static let instruction = 4
    }

    private enum Opcode {
        static let getGlobal: UInt32 = 11
        static let setGlobal: UInt32 = 15
    }

    /// `line` differences of this value stand for a line that is written elsewhere.
    private static let farLine: Int8 = -128

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        // The count of the main function's upvalues follows the header.
        position = Size.header + 1
    }

    mutating func names() -> ChunkNames {
        guard bytes.starts(with: Array("\u{1B}Lua\u{54}\u{0}".utf8)) else { return found }
        function(environments: nil)
        return found
    }

    /// - Parameter environments: the numbers of the enclosing function's upvalues that are the globals; nil for the
    ///   main function.
    private mutating func function(environments: Set<Int>?) {
        _ = string()
        let firstLine = integer()
        _ = integer()
        position += 3
        let code = (0..<integer()).map { _ in instruction() }
        let constants = (0..<integer()).map { _ in constant() }
        let own = upvalues(environments)
        for _ in 0..<integer() { function(environments: own) }
        let lines = lines(from: firstLine)
        for _ in 0..<integer() { local() }
        for _ in 0..<integer() { _ = string() }
        for (index, instruction) in code.enumerated() {
            note(instruction, line: lines.indices.contains(index) ? lines[index] : firstLine, constants, own)
        }
    }

    private mutating func note(_ instruction: UInt32, line: Int, _ constants: [String?], _ environments: Set<Int>) {
        let (a, b, c) = (instruction >> 7 & 0xFF, instruction >> 16 & 0xFF, instruction >> 24)
        let access: (table: UInt32, key: UInt32, isWrite: Bool)
        switch instruction & 0x7F {
        case Opcode.getGlobal: access = (b, c, false)
        case Opcode.setGlobal: access = (a, b, true)
        default: return
        }
        guard environments.contains(Int(access.table)), constants.indices.contains(Int(access.key)),
            let name = constants[Int(access.key)]
        else { return }
        found.globals.append(GlobalAccess(name: name, line: line, isWrite: access.isWrite))
    }

    /// Those that are the globals: the main function's first, and what nested functions take over from it.
    private mutating func upvalues(_ outer: Set<Int>?) -> Set<Int> {
        var own: Set<Int> = []
        for number in 0..<integer() {
            let (isLocal, index) = (byte() != 0, Int(byte()))
            _ = byte()
            if outer.map({ !isLocal && $0.contains(index) }) ?? (number == 0) { own.insert(number) }
        }
        return own
    }

    private mutating func lines(from first: Int) -> [Int] {
        let differences = (0..<integer()).map { _ in Int8(bitPattern: byte()) }
        var far = (0..<integer()).map { _ in (integer(), integer()).1 }[...]
        var line = first
        return differences.map { difference in
            line = difference == Self.farLine ? far.popFirst() ?? line : line + Int(difference)
            return line
        }
    }

    private mutating func local() {
        // Those of the compiler's own have a parenthesis in their names.
        if let name = string(), !name.hasPrefix("(") { found.locals.insert(name) }
        _ = (integer(), integer())
    }

    /// The text of a string, nil for other constants.
    private mutating func constant() -> String? {
        switch byte() {
        case 0x04, 0x14: return string()
        case 0x03, 0x13: position += 8
        default: break
        }
        return nil
    }

    // MARK: Bytes. Behind the end there are zeros.

    private mutating func byte() -> UInt8 {
        defer { position += 1 }
        return bytes.indices.contains(position) ? bytes[position] : 0
    }

    private mutating func instruction() -> UInt32 {
        (0..<Size.instruction).reduce(0) { $0 | UInt32(byte()) << (8 * UInt32($1)) }
    }

    /// Seven bits in each byte, the highest first; the last one has its eighth bit set. At the end, 0.
    private mutating func integer() -> Int {
        var value = 0
        while position < bytes.count {
            let next = byte()
            value = value << 7 | Int(next & 0x7F)
            if next & 0x80 != 0 { return value }
        }
        return 0
    }

    private mutating func string() -> String? {
        let length = integer() - 1
        guard length >= 0, position + length <= bytes.count else { return nil }
        defer { position += length }
        return String(decoding: bytes[position..<position + length], as: UTF8.self)
    }
}
