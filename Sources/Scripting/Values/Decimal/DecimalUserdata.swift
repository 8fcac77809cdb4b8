import BigInt
import CLua

/// A decimal inside Lua: a full userdata that holds the number itself and no reference, so that
/// there is nothing to release and no `__gc` to pay for.
///
/// 24 bytes: kind, scale, then the coefficient in 16; behind a big one the words of its magnitude.
enum DecimalUserdata {
    private enum Kind: UInt8 {
        case small, positiveBig, negativeBig, notANumber, infinity, negativeInfinity
    }

    private static let header = 24

    static func push(_ value: Decimal, on state: OpaquePointer) {
        switch value.storage {
        case .small(let coefficient): pushSmall(coefficient, .small, scale: value.scale, on: state)
        case .notANumber: pushSmall(0, .notANumber, scale: 0, on: state)
        case .infinity: pushSmall(0, .infinity, scale: 0, on: state)
        case .negativeInfinity: pushSmall(0, .negativeInfinity, scale: 0, on: state)
        case .big(let coefficient):
            let words = Array(coefficient.magnitude.words)
            let kind: Kind = coefficient.signum() < 0 ? .negativeBig : .positiveBig
            guard let memory = lua_newuserdatauv(state, header + words.count * 8, 0) else { return }
            fill(memory, kind, scale: value.scale)
            for (index, word) in words.enumerated() {
                memory.storeBytes(of: word, toByteOffset: header + index * 8, as: UInt.self)
            }
            attach(on: state)
        }
    }

    private static func pushSmall(_ coefficient: Int128, _ kind: Kind, scale: Int, on state: OpaquePointer) {
        guard let memory = lua_newuserdatauv(state, header, 0) else { return }
        fill(memory, kind, scale: scale)
        memory.storeBytes(of: coefficient, toByteOffset: 8, as: Int128.self)
        attach(on: state)
    }

    private static func fill(_ memory: UnsafeMutableRawPointer, _ kind: Kind, scale: Int) {
        memory.storeBytes(of: kind.rawValue, as: UInt8.self)
        memory.storeBytes(of: Int32(scale), toByteOffset: 4, as: Int32.self)
    }

    private static func attach(on state: OpaquePointer) {
        lua_rawgetp(state, RegistryKey.table, RegistryKey.decimal.pointer)
        lua_setmetatable(state, -2)
    }

    /// The decimal at `index`; nil when there is something else.
    static func read(at index: CInt, of state: OpaquePointer) -> Decimal? {
        guard lua_type(state, index) == LUA_TUSERDATA, isDecimal(at: index, of: state),
            let memory = lua_touserdata(state, index)
        else { return nil }
        let scale = Int(memory.loadUnaligned(fromByteOffset: 4, as: Int32.self))
        switch Kind(rawValue: memory.load(as: UInt8.self)) {
        case .small: return Decimal(coefficient: memory.loadUnaligned(fromByteOffset: 8, as: Int128.self), scale: scale)
        case .positiveBig: return big(memory, size: lua_rawlen(state, index), isNegative: false, scale: scale)
        case .negativeBig: return big(memory, size: lua_rawlen(state, index), isNegative: true, scale: scale)
        case .notANumber: return .notANumber
        case .infinity: return .infinity
        case .negativeInfinity: return .negativeInfinity
        case nil: return nil
        }
    }

    private static func big(_ memory: UnsafeMutableRawPointer, size: lua_Unsigned, isNegative: Bool, scale: Int)
        -> Decimal
    {
        let words = stride(from: header, to: Int(size), by: 8).map {
            memory.loadUnaligned(fromByteOffset: $0, as: UInt.self)
        }
        let magnitude = BigUInt(words: words)
        return Decimal(coefficient: BigInt(sign: isNegative ? .minus : .plus, magnitude: magnitude), scale: scale)
    }

    private static func isDecimal(at index: CInt, of state: OpaquePointer) -> Bool {
        guard lua_getmetatable(state, index) != 0 else { return false }
        lua_rawgetp(state, RegistryKey.table, RegistryKey.decimal.pointer)
        let isEqual = lua_rawequal(state, -1, -2) != 0
        lua_settop(state, -3)
        return isEqual
    }
}
