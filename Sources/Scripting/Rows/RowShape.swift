import CLua
import CLuaShim
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
    /// What C needs, with the addresses of the names as the Lua strings that the metatable keeps of them.
    private let readings: UnsafeMutableBufferPointer<rh_column>
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
        readings = .allocate(capacity: columns.count)
        for (index, column) in columns.enumerated() {
            let entry = Entry(kind: column.kind, format: column.format, isAdded: index >= fieldCount)
            entries.initializeElement(at: index, to: entry)
            readings.initializeElement(
                at: index, to: rh_column(name: addresses[index], reading: entry.reading, slot: 0))
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

    deinit {
        entries.deallocate()
        readings.deallocate()
    }

    /// Pushes the userdata that rows find their shape in.
    fileprivate func push(to stack: LuaStack) -> UnsafeMutablePointer<rh_row_shape> {
        // Safe: the reference is released once, by the userdata's `__gc`; the readings live as long as the shape.
        rh_push_row_shape(
            stack.thread, Self.type.key, Unmanaged.passRetained(self).toOpaque(), readings.baseAddress,
            UInt32(readings.count))
    }

    @inline(__always)
    func entry(_ column: Int) -> Entry { entries[column] }

    /// The position (from 0) of the column whose name is the string at `index` of the stack; the first of several.
    func column(named index: Int32, _ stack: LuaStack) -> Int? {
        if let address = stack.address(at: index) {
            if readings.count > Self.fewColumns, let column = positions[address] { return column }
            for column in 0..<min(readings.count, Self.fewColumns) where readings[column].name == address {
                return column
            }
        }
        return stack.string(at: index).flatMap { indices[$0] }
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

extension RowShape.Entry {
    /// How C reads the column's bytes, if it can.
    fileprivate var reading: rh_reading {
        guard !isAdded else { return RH_READ_BY_HOST }
        switch (kind, format) {
        case (.text, _): return RH_READ_TEXT
        case (.other, _): return RH_READ_OTHER
        case (.int16, .binary): return RH_READ_INT16
        case (.int32, .binary): return RH_READ_INT32
        case (.int64, .binary): return RH_READ_INT64
        case (.oid, .binary): return RH_READ_OID
        case (.boolean, .binary): return RH_READ_BOOLEAN
        case (.float8, .binary): return RH_READ_FLOAT8
        default: return RH_READ_BY_HOST
        }
    }
}

/// Makes rows of one shape: holds their metatable while more of them may come.
final class RowFactory {
    let shape: RowShape
    let metatable: LuaReference
    /// The memory of the shape's userdata, which the metatable holds.
    let holder: UnsafeMutablePointer<rh_row_shape>
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
            addresses.append(stack.address(at: -1))
            stack.setElement(index + 1, of: table)
        }
        shape = RowShape(columns, added: added, addresses: addresses)
        holder = shape.push(to: stack)
        stack.setElement(names.count + 1, of: table)
        metatable = stack.makeReference()
    }

    deinit {
        if !state.isClosed { state.stack.release(metatable) }
    }
}
