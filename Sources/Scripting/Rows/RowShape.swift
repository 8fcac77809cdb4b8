import CLua
import LuaRuntime
import PostgresProtocol

/// The columns of rows that came by one way, inside one Lua state. Kept alive by the metatable that the rows carry.
final class RowShape {
    struct Column {
        let name: String
        let type: OID
        let kind: ValueKind
        let format: DataFormat
    }

    /// What reading a column needs, without anything that is counted.
    struct Entry {
        /// Address of the name as the Lua string that the metatable keeps of it: short strings are unique in a state, so
        /// most look-ups compare pointers.
        let name: UnsafeRawPointer?
        let kind: ValueKind
        let format: DataFormat
        /// Rows have no bytes for it: NULL until it is assigned.
        let isAdded: Bool
    }

    static let type = ObjectType<RowShape>("row shape")

    let columns: [Column]
    /// How many columns rows have bytes for: the first ones. The others are added.
    let fieldCount: Int
    /// Rows keep their fields' length prefixes, so that an unchanged row is one piece of binary COPY.
    let isBinary: Bool
    private let entries: UnsafeMutableBufferPointer<Entry>
    private let indices: [String: Int]
    /// For shapes with more columns than are quickly looked through.
    private let positions: [UnsafeRawPointer: Int]
    private static let fewColumns = 24

    fileprivate init(_ columns: [Column], added: [Column], addresses: [UnsafeRawPointer?]) {
        fieldCount = columns.count
        isBinary = columns.allSatisfy { $0.format == .binary }
        let columns = columns + added
        self.columns = columns
        entries = .allocate(capacity: columns.count)
        for (index, column) in columns.enumerated() {
            entries.initializeElement(
                at: index,
                to: Entry(
                    name: addresses[index], kind: column.kind, format: column.format, isAdded: index >= fieldCount))
        }
        let named =
            columns.count <= Self.fewColumns
            ? []
            : addresses.enumerated().compactMap { index, address in
                address.map { ($0, index) }
            }
        positions = Dictionary(named, uniquingKeysWith: { first, _ in first })
        indices = Dictionary(columns.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    deinit { entries.deallocate() }

    @inline(__always)
    func entry(_ column: Int) -> Entry { entries[column] }

    /// The position (from 0) of the column whose name is the Lua string with these bytes; the first of several.
    @inline(__always)
    func index(ofName name: UnsafeRawBufferPointer) -> Int? {
        if entries.count <= Self.fewColumns {
            for index in 0..<entries.count where entries[index].name == name.baseAddress { return index }
        } else if let address = name.baseAddress, let index = positions[address] {
            return index
        }
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

/// Makes rows of one shape: holds their metatable while more of them may come.
final class RowFactory {
    let shape: RowShape
    let metatable: LuaReference
    /// The memory of the shape's userdata, which the metatable holds.
    let holder: UnsafeRawPointer
    private let state: LuaState

    /// `metamethods` is the table that every row's metatable is a copy of. `added` columns come after those that rows
    /// have bytes for.
    init(
        _ columns: [RowShape.Column], added: [RowShape.Column] = [], in stack: LuaStack, metamethods: LuaReference
    ) {
        state = stack.state
        let names = (columns + added).map(\.name)
        stack.pushTable(arrayCount: names.count + 1, fieldCount: 12)
        let table = stack.count
        stack.push(metamethods)
        stack.forEach(in: -1) { key, value in
            stack.pushCopy(of: key)
            stack.pushCopy(of: value)
            lua_rawset(stack.thread, table)
        }
        stack.pop()
        var addresses: [UnsafeRawPointer?] = []
        for (index, name) in names.enumerated() {
            stack.push(name)
            addresses.append(stack.bytes(at: -1)?.baseAddress)
            stack.setElement(index + 1, of: table)
        }
        shape = RowShape(columns, added: added, addresses: addresses)
        stack.push(shape, RowShape.type)
        guard let holder = lua_touserdata(stack.thread, -1) else { preconditionFailure("a userdata has an address") }
        self.holder = UnsafeRawPointer(holder)
        stack.setElement(names.count + 1, of: table)
        metatable = stack.makeReference()
    }

    deinit {
        if !state.isClosed { state.stack.release(metatable) }
    }
}
