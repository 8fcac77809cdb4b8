import CLua
import LuaRuntime
import PostgresProtocol

/// The columns of rows that came by one way, inside one Lua state: names, types, and the metatable that rows carry.
final class RowShape {
    struct Column {
        let name: String
        let type: OID
        let kind: ValueKind
        let format: DataFormat
    }

    let columns: [Column]
    /// Rows keep their fields' length prefixes, so that an unchanged row is one piece of binary COPY.
    let isBinary: Bool
    /// Addresses of the column names as the Lua strings that the state keeps of them: short strings are unique in a
    /// state, so most look-ups compare pointers.
    private let addresses: [UnsafeRawPointer?]
    private let indices: [String: Int]
    let metatable: LuaReference
    private unowned let state: LuaState

    init(_ columns: [Column], in stack: LuaStack, metamethods: LuaReference) {
        self.columns = columns
        state = stack.state
        isBinary = columns.allSatisfy { $0.format == .binary }
        indices = Dictionary(columns.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        stack.pushTable(arrayCount: columns.count, fieldCount: 12)
        stack.push(metamethods)
        let source = stack.count
        stack.forEach(in: source) { key, value in
            stack.pushCopy(of: key)
            stack.pushCopy(of: value)
            lua_rawset(stack.thread, source - 1)
        }
        stack.pop()
        var addresses: [UnsafeRawPointer?] = []
        for (index, column) in columns.enumerated() {
            stack.push(column.name)
            addresses.append(stack.bytes(at: -1)?.baseAddress)
            stack.setElement(index + 1, of: -2)
        }
        self.addresses = addresses
        metatable = stack.makeReference()
    }

    deinit {
        if !state.isClosed { state.stack.release(metatable) }
    }

    /// The position (from 0) of the column whose name is the Lua string with these bytes; the first of several.
    @inline(__always)
    func index(ofName name: UnsafeRawBufferPointer) -> Int? {
        for index in 0..<addresses.count where addresses[index] == name.baseAddress { return index }
        return indices[String(decoding: name, as: UTF8.self)]
    }

    /// What the error says of a column that is not there.
    func unknownColumn(_ name: String) -> ScriptError {
        let near = Suggestion.nearest(to: name, among: columns.map(\.name))
        let list = columns.prefix(20).map(\.name).joined(separator: ", ")
        return ScriptError(
            code: "RH2104", "no column \"\(name)\"" + (near.map { ", did you mean \"\($0)\"?" } ?? ""),
            hint: "The columns are \(list)\(columns.count > 20 ? ", …" : "").")
    }
}
