import CLua
import CLuaShim

/// Keys of what the values keep in Lua's registry. They are compared, never followed: small numbers
/// that are no address of anything.
enum RegistryKey: UInt {
    case decimal = 0x701
    case jsonArray = 0x702
    case jsonObject = 0x703
    case time = 0x704
    case timeMethods = 0x705

    var pointer: UnsafeRawPointer? { UnsafeRawPointer(bitPattern: rawValue) }

    /// The pseudo-index of the registry.
    static let table: CInt = rh_registry_index()
}
