import CLua
import LuaRuntime
import PostgresProtocol

/// A row inside Lua: a userdata that holds the bytes that PostgreSQL sent, in row layout, behind a header.
///
/// A column is decoded when it is read. A column that was assigned is kept in a table beside the bytes (user value 1,
/// made with the first assignment). User value 2 of a result's row is the table of the result's changed rows.
struct RowUserdata {
    private static let magic: UInt64 = 0x72_65_70_6C_5F_72_6F_77
    /// In the place of `magic` once the row's time is over.
    private static let expiredMagic: UInt64 = 0x72_65_70_6C_5F_6F_6C_64
    static let headerSize = 24

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
        _ holder: UnsafeRawPointer, size: Int, position: Int, to stack: LuaStack
    ) -> UnsafeMutableRawPointer {
        guard let memory = lua_newuserdatauv(stack.thread, headerSize + size, position == 0 ? 1 : 2) else {
            preconditionFailure("Lua gave no memory to the host")
        }
        memory.storeBytes(of: magic, as: UInt64.self)
        memory.storeBytes(of: holder, toByteOffset: 8, as: UnsafeRawPointer.self)
        memory.storeBytes(of: UInt32(truncatingIfNeeded: position), toByteOffset: 16, as: UInt32.self)
        memory.storeBytes(of: 0, toByteOffset: 20, as: UInt32.self)
        return memory + headerSize
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

    /// From now on the row is no row any more; copies of it stay what they are.
    func expire() { fields.storeBytes(of: Self.expiredMagic, toByteOffset: -Self.headerSize, as: UInt64.self) }

    /// There is a row at `index` whose time is over.
    static func isExpired(at index: Int32, of stack: LuaStack) -> Bool {
        guard let memory = lua_touserdata(stack.thread, index), lua_rawlen(stack.thread, index) >= headerSize else {
            return false
        }
        return memory.load(as: UInt64.self) == expiredMagic
    }

    /// The row at `index`; nil for anything else.
    @inline(__always)
    init?(at index: Int32, of stack: LuaStack) {
        guard let memory = lua_touserdata(stack.thread, index),
            lua_rawlen(stack.thread, index) >= Self.headerSize,
            memory.load(as: UInt64.self) == Self.magic,
            // Finalizers may see a row whose shape has been let go of.
            memory.load(fromByteOffset: 8, as: UnsafeRawPointer.self).load(as: UnsafeRawPointer?.self) != nil
        else { return nil }
        fields = memory + Self.headerSize
    }

    var shape: RowShape { unmanagedShape.takeUnretainedValue() }

    /// Safe for the time of a host call: the row's metatable holds the userdata that holds the shape.
    @inline(__always)
    var unmanagedShape: Unmanaged<RowShape> {
        .fromOpaque(holder.load(as: UnsafeRawPointer.self))
    }

    /// The memory of the shape's userdata: the address of the shape.
    private var holder: UnsafeRawPointer {
        fields.load(fromByteOffset: 8 - Self.headerSize, as: UnsafeRawPointer.self)
    }

    /// Position in its result (from 1), 0 elsewhere.
    var position: Int { Int(fields.load(fromByteOffset: -8, as: UInt32.self)) }

    /// Some column was assigned.
    var isChanged: Bool { changes != 0 }

    /// False: the column was not assigned. True: `RowLibrary.pushAssigned` knows.
    @inline(__always)
    func mayBeAssigned(_ column: Int) -> Bool { changes & Self.bit(column) != 0 }

    func noteAssigned(_ column: Int) {
        fields.storeBytes(of: changes | Self.bit(column), toByteOffset: -4, as: UInt32.self)
    }

    /// Calls `body` with each column that was assigned; false, and not called, if nobody knows which they are.
    func forEachAssigned(_ body: (Int) -> Void) -> Bool {
        var left = changes
        guard left & Self.bit(31) == 0 else { return false }
        while left != 0 {
            body(left.trailingZeroBitCount)
            left &= left - 1
        }
        return true
    }

    /// A bit for each of the first 31 columns, one for all others.
    @inline(__always)
    private var changes: UInt32 { fields.load(fromByteOffset: -4, as: UInt32.self) }

    @inline(__always)
    private static func bit(_ column: Int) -> UInt32 { 1 &<< UInt32(truncatingIfNeeded: min(column, 31)) }

    /// The bytes of a column as they came; not for added columns, which have none.
    @inline(__always)
    func field(_ column: Int) -> UnsafeRawBufferPointer? { RowLayout.field(column, of: fields) }
}
