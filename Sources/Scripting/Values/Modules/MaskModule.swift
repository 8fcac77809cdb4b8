import CLua
import Synchronization

/// `rh.mask`: nil, `rh.null` and `rh.unchanged` stay what they are.
enum MaskModule {
    static let functions: [(String, ValueFunction)] = [
        ("mask.email", email),
        ("mask.phone", { call throws(ValueError) in try masked(call, Mask.phone) }),
        ("mask.name", { call throws(ValueError) in try masked(call, Mask.name) }),
        ("mask.last4", last4),
        ("mask.hash", { call throws(ValueError) in try keyed(call, Mask.hash) }),
        ("mask.token", { call throws(ValueError) in try keyed(call, Mask.token) }),
        ("mask.date_shift", shiftDate),
    ]

    private static let exampleDomain = Array("example.com".utf8)

    private static func isNull(_ call: borrowing ValueCall, _ index: CInt) -> Bool {
        call.isAbsent(index)
            || lua_type(call.state, index) == LUA_TLIGHTUSERDATA
    }

    private static func pushSame(_ call: borrowing ValueCall, _ index: CInt) -> CInt {
        lua_settop(call.state, max(index, lua_gettop(call.state)))
        lua_pushvalue(call.state, index)
        return 1
    }

    /// `(address, key, domain, keep_domain)`, all but the address optional.
    private static func email(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        if isNull(call, 1) { return pushSame(call, 1) }
        let address = try call.bytes(1, "address")
        let hash = try optionalKey(call, 2)
        if lua_toboolean(call.state, 4) != 0, let domain = Mask.domain(of: address) {
            return call.push(Mask.email(address, hash, domain: domain))
        }
        if !call.isAbsent(3) { return call.push(Mask.email(address, hash, domain: try call.bytes(3, "domain"))) }
        return exampleDomain.withUnsafeBytes { call.push(Mask.email(address, hash, domain: $0)) }
    }

    /// `(value, key)`, the key optional.
    private static func masked(
        _ call: borrowing ValueCall, _ body: (UnsafeRawBufferPointer, KeyedHash) -> [UInt8]
    ) throws(ValueError) -> CInt {
        if isNull(call, 1) { return pushSame(call, 1) }
        return call.push(body(try call.textBytes(1, "value"), try optionalKey(call, 2)))
    }

    private static func last4(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        if isNull(call, 1) { return pushSame(call, 1) }
        return call.push(Mask.last4(try call.textBytes(1, "value")))
    }

    /// `(key, value)`.
    private static func keyed(
        _ call: borrowing ValueCall, _ body: (UnsafeRawBufferPointer, KeyedHash) -> [UInt8]
    ) throws(ValueError) -> CInt {
        let hash = try requiredKey(call)
        // A forgotten key would make NULL of every value.
        guard lua_gettop(call.state) >= 2 else { throw call.wrong(2, "value", "a value to mask behind the key") }
        if isNull(call, 2) { return pushSame(call, 2) }
        return call.push(body(try call.textBytes(2, "value"), hash))
    }

    /// `(key, date, days)`; the date as text or as a time.
    private static func shiftDate(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        let hash = try requiredKey(call)
        let days = try call.integer(3, "days")
        guard (1...100_000).contains(days) else { throw call.wrong(3, "days", "an integer from 1 to 100000") }
        if isNull(call, 2) { return pushSame(call, 2) }
        let shift = Mask.dayShift(hash, days: days)
        do throws(TimeError) {
            if let time = TimeUserdata.read(at: 2, of: call.state) { return call.push(try time.adding(days: shift)) }
            guard lua_type(call.state, 2) == LUA_TSTRING else { throw TimeError.notATime(text: call.described(2)) }
            let text = String(cString: lua_tolstring(call.state, 2, nil))
            return call.push(try Mask.shifted(text, by: shift))
        } catch {
            throw call.failed(error.description)
        }
    }

    private static func requiredKey(_ call: borrowing ValueCall) throws(ValueError) -> KeyedHash {
        let key = try call.bytes(1, "key")
        guard key.count > 0 else { throw call.failed("key must not be empty") }
        return MaskKeys.hash(for: key)
    }

    private static func optionalKey(_ call: borrowing ValueCall, _ index: CInt) throws(ValueError) -> KeyedHash {
        if call.isAbsent(index) { return MaskKeys.unkeyed }
        return MaskKeys.hash(for: try call.bytes(index, "key"))
    }
}

/// The keys used lately, each with its share of the hashing done.
enum MaskKeys {
    /// A fixed key: what is masked without one is the same everywhere and always.
    static let unkeyed = Array("replhost.mask".utf8).withUnsafeBytes { KeyedHash(key: $0) }

    private struct Entry {
        let key: [UInt8]
        let hash: KeyedHash
    }

    private static let capacity = 16
    private static let entries = Mutex<[Entry]>([])

    static func hash(for key: UnsafeRawBufferPointer) -> KeyedHash {
        entries.withLock { entries in
            for entry in entries where entry.key.count == key.count && entry.key.elementsEqual(key) {
                return entry.hash
            }
            let hash = KeyedHash(key: key)
            if entries.count == capacity { entries.removeFirst() }
            entries.append(Entry(key: Array(key), hash: hash))
            return hash
        }
    }
}
