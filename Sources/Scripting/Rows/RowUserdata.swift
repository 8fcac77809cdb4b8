import CLua
import CLuaShim
import LuaRuntime
import PostgresProtocol

/// A row inside Lua: a userdata that holds the bytes that PostgreSQL sent, in row layout, behind a header (`rh_row`).
///
/// A column is decoded when it is read. What was assigned is kept beside the bytes: in a user value of the column's own
/// where such rows have been assigned it before, else in a table. User value 2 of a result's row is the table of the
/// result's changed rows.
struct RowUserdata {
    static let headerSize = MemoryLayout<rh_row>.size

    /// In row layout.
    let fields: UnsafeMutableRawPointer

    /// Pushes a row with `size` bytes for its fields, which the caller fills.
    @inline(__always)
    static func push(
        _ factory: RowFactory, size: Int, position: Int = 0, to stack: LuaStack
    ) -> UnsafeMutableRawPointer {
        let fields = push(factory.holder, size: size, position: position, to: stack)
        stack.push(factory.metatable)
        lua_setmetatable(stack.thread, -2)
        return fields
    }

    /// Pushes a row that has no metatable yet.
    @inline(__always)
    private static func push(
        _ holder: UnsafeMutablePointer<rh_row_shape>, size: Int, position: Int, to stack: LuaStack
    ) -> UnsafeMutableRawPointer {
        rh_push_row(stack.thread, holder, size, UInt32(truncatingIfNeeded: position))
    }

    /// Pushes a row like the one at `index`, with the same bytes; what was assigned is not copied.
    static func pushCopy(of index: Int32, to stack: LuaStack) {
        guard let row = RowUserdata(at: index, of: stack) else { return stack.pushNil() }
        let size = Int(lua_rawlen(stack.thread, index)) - headerSize
        let fields = push(row.holder, size: size, position: 0, to: stack)
        fields.copyMemory(from: row.fields, byteCount: size)
        lua_getmetatable(stack.thread, index)
        lua_setmetatable(stack.thread, -2)
    }

    /// From here on reading the row is an error; copies of it stay what they are.
    func expire() {
        fields.storeBytes(of: UInt64(RH_EXPIRED_ROW_MAGIC), toByteOffset: -Self.headerSize, as: UInt64.self)
    }

    /// The value at `index` is this row.
    @inline(__always)
    func isSame(asAt index: Int32, of stack: LuaStack) -> Bool {
        lua_touserdata(stack.thread, index) == fields - Self.headerSize
    }

    /// There is a row at `index` whose time is over.
    static func isExpired(at index: Int32, of stack: LuaStack) -> Bool {
        guard let memory = lua_touserdata(stack.thread, index), lua_rawlen(stack.thread, index) >= headerSize else {
            return false
        }
        return memory.load(as: UInt64.self) == UInt64(RH_EXPIRED_ROW_MAGIC)
    }

    /// The row at `index`; nil for anything else.
    @inline(__always)
    init?(at index: Int32, of stack: LuaStack) {
        guard let row = rh_row_at(stack.thread, index) else { return nil }
        fields = UnsafeMutableRawPointer(row + 1)
    }

    var shape: RowShape { unmanagedShape.takeUnretainedValue() }

    /// Safe for the time of a host call: the row's metatable holds the userdata that holds the shape.
    @inline(__always)
    var unmanagedShape: Unmanaged<RowShape> { .fromOpaque(holder.pointee.object) }

    @inline(__always)
    private var header: UnsafePointer<rh_row> {
        UnsafePointer((fields - Self.headerSize).assumingMemoryBound(to: rh_row.self))
    }

    /// The memory of the shape's userdata.
    private var holder: UnsafeMutablePointer<rh_row_shape> { header.pointee.shape }

    /// Some column was assigned.
    var isChanged: Bool { changes != 0 }

    /// False: the column was not assigned. True: `RowLibrary.pushAssigned` knows.
    @inline(__always)
    func mayBeAssigned(_ column: Int) -> Bool { changes & Self.bit(column) != 0 }

    /// A bit for each of the first 31 columns, one for all others.
    @inline(__always)
    private var changes: UInt32 { header.pointee.changes }

    @inline(__always)
    private static func bit(_ column: Int) -> UInt32 { 1 &<< UInt32(truncatingIfNeeded: min(column, 31)) }

    /// The source has not sent the column, as it has not changed.
    @inline(__always)
    func isUnchanged(_ column: Int) -> Bool { RowLayout.cell(column, of: fields).length == -2 }

    /// The bytes of a column as they came; not for added columns, which have none.
    @inline(__always)
    func field(_ column: Int) -> UnsafeRawBufferPointer? { RowLayout.field(column, of: fields) }
}
