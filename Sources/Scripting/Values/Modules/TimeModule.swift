import CLua

/// `rh.time` and the operators, fields and methods of times.
enum TimeModule {
    static let functions: [(String, ValueFunction)] = [
        ("time.parse", parse),
        ("time.now", { call throws(ValueError) in call.push(TimeValue.now()) }),
    ]

    static let metamethods: [(String, ValueFunction)] = [
        ("__add", add),
        ("__sub", subtract),
        ("__mul", multiply),
        ("__unm", { call throws(ValueError) in try negate(call) }),
        ("__eq", equal),
        ("__lt", { call throws(ValueError) in try compare(call) < 0 ? call.push(true) : call.push(false) }),
        ("__le", { call throws(ValueError) in try compare(call) <= 0 ? call.push(true) : call.push(false) }),
        ("__tostring", { call throws(ValueError) in call.push(try value(of: call).description) }),
        ("__concat", concatenate),
        ("__index", index),
    ]

    static let methods: [(String, ValueFunction)] = [
        ("format", format),
        ("trunc", truncate),
        ("at", shift),
        ("date", { call throws(ValueError) in try day(call) }),
        ("total_seconds", { call throws(ValueError) in call.push(try value(of: call).totalSeconds) }),
    ]

    private static func parse(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        let text = try call.string(1, "text")
        var kind: TimeValue.Kind?
        if !call.isAbsent(2) {
            let name = try call.string(2, "kind")
            kind = TimeValue.Kind.allCases.first { $0.name == name }
            if kind == nil { throw call.failed("unknown kind \"\(name)\"") }
        }
        return try computed(call) { () throws(TimeError) in
            if let kind { return try TimeValue(text: text, kind: kind) }
            return try TimeValue(text: text)
        }
    }

    // MARK: Operators

    private static func receiver(_ index: CInt, _ state: OpaquePointer) throws(TimeError) -> TimeValue {
        guard let value = TimeUserdata.read(at: index, of: state) else {
            throw .unsupported(
                operation: "compute with", "a time", String(cString: lua_typename(state, lua_type(state, index))))
        }
        return value
    }

    private static func value(of call: borrowing ValueCall) throws(ValueError) -> TimeValue {
        guard let value = TimeUserdata.read(at: 1, of: call.state) else { throw call.wrong(1, "self", "a time") }
        return value
    }

    private static func computed(
        _ call: borrowing ValueCall, _ body: () throws(TimeError) -> TimeValue
    ) throws(ValueError) -> CInt {
        do throws(TimeError) {
            return call.push(try body())
        } catch {
            throw call.failed(error.description)
        }
    }

    private static func negate(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        let value = try value(of: call)
        return try computed(call) { () throws(TimeError) in try value.negated() }
    }

    /// A time and a time, or a date and a count of days on either side.
    private static func add(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        let state = call.state
        return try computed(call) { () throws(TimeError) in
            if lua_isinteger(state, 2) != 0 { return try days(receiver(1, state), lua_tointegerx(state, 2, nil)) }
            if lua_isinteger(state, 1) != 0 { return try days(receiver(2, state), lua_tointegerx(state, 1, nil)) }
            return try receiver(1, state).adding(receiver(2, state))
        }
    }

    private static func days(_ value: TimeValue, _ count: Int64) throws(TimeError) -> TimeValue {
        guard value.kind == .date else { throw .unsupported(operation: "add", value.kind.name, "an integer") }
        return try value.adding(days: count)
    }

    /// Two dates give days as an integer, as in PostgreSQL.
    private static func subtract(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        let state = call.state
        if let left = TimeUserdata.read(at: 1, of: state), let right = TimeUserdata.read(at: 2, of: state),
            left.kind == .date, right.kind == .date, left.isFinite, right.isFinite
        {
            return call.push(Int64(left.localDays - right.localDays))
        }
        return try computed(call) { () throws(TimeError) in
            let left = try receiver(1, state)
            if lua_isinteger(state, 2) != 0 { return try days(left, 0 &- lua_tointegerx(state, 2, nil)) }
            return try left.subtracting(receiver(2, state))
        }
    }

    private static func multiply(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        let state = call.state
        let number: CInt = lua_type(state, 1) == LUA_TNUMBER ? 1 : 2
        return try computed(call) { () throws(TimeError) in
            guard lua_type(state, number) == LUA_TNUMBER else {
                throw .unsupported(
                    operation: "multiply", "a time", String(cString: lua_typename(state, lua_type(state, number))))
            }
            return try receiver(3 - number, state).multiplied(by: lua_tonumberx(state, number, nil))
        }
    }

    private static func compare(_ call: borrowing ValueCall) throws(ValueError) -> Int {
        do throws(TimeError) {
            return try receiver(1, call.state).compared(to: receiver(2, call.state))
        } catch {
            throw .operands(error.description)
        }
    }

    /// Times that cannot be compared are not equal.
    private static func equal(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        guard let left = TimeUserdata.read(at: 1, of: call.state), let right = TimeUserdata.read(at: 2, of: call.state)
        else { return call.push(false) }
        return call.push((try? left.compared(to: right)) == 0)
    }

    private static func concatenate(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        var text = ""
        for index: CInt in 1...2 {
            if let value = TimeUserdata.read(at: index, of: call.state) {
                text += value.description
            } else if lua_type(call.state, index) == LUA_TSTRING || lua_isinteger(call.state, index) != 0 {
                text += String(decoding: try call.textBytes(index, "operand"), as: UTF8.self)
            } else {
                throw .operands("cannot concatenate a time and \(call.described(index))")
            }
        }
        return call.push(text)
    }

    // MARK: Fields and methods

    /// A field, or a method out of the table in upvalue 1.
    private static func index(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        let value = try value(of: call)
        let name = try call.string(2, "field")
        switch name {
        case "kind": return call.push(value.kind.name)
        case "infinite": return call.push(!value.isFinite)
        case "microseconds" where value.kind == .interval || value.kind == .time: return call.push(value.microseconds)
        case "epoch_microseconds" where value.kind != .interval && value.kind != .time:
            return call.push(value.microseconds)
        case "epoch" where value.kind != .interval && value.kind != .time:
            return call.push(Double(value.microseconds) / 1e6)
        default: break
        }
        if value.kind == .interval, let field = intervalField(value, name) { return call.push(field) }
        if value.kind != .interval, let field = pointField(value, name) { return call.push(field) }
        lua_rawgetp(call.state, RegistryKey.table, RegistryKey.timeMethods.pointer)
        lua_pushvalue(call.state, 2)
        if lua_rawget(call.state, -2) != LUA_TNIL { return 1 }
        throw .operands("a \(value.kind.name) has no field \"\(name)\"")
    }

    private static func intervalField(_ value: TimeValue, _ name: String) -> Int64? {
        switch name {
        case "years": Int64(value.months / 12)
        case "months": Int64(value.months % 12)
        case "days": Int64(value.days)
        case "hours": value.microseconds / 3_600_000_000
        case "minutes": value.microseconds / 60_000_000 % 60
        case "seconds": value.microseconds / 1_000_000 % 60
        default: nil
        }
    }

    /// Of infinities all are 0.
    private static func pointField(_ value: TimeValue, _ name: String) -> Int64? {
        if value.kind != .time {
            let date = value.civilDate
            switch name {
            case "year": return Int64(date.year)
            case "month": return Int64(date.month)
            case "day": return Int64(date.day)
            case "weekday": return Int64(date.weekday)
            case "yearday": return Int64(date.dayOfYear)
            case "offset" where value.kind == .timestamptz: return Int64(value.offset)
            default: break
            }
        }
        guard value.kind != .date else { return nil }
        let time = value.kind == .time ? value.microseconds : value.localTimeOfDay
        switch name {
        case "hour": return time / 3_600_000_000
        case "minute": return time / 60_000_000 % 60
        case "second": return time / 1_000_000 % 60
        case "microsecond": return time % 1_000_000
        default: return nil
        }
    }

    private static func format(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        let value = try value(of: call)
        let pattern = try call.string(2, "pattern")
        do throws(TimeError) {
            return call.push(try TimeFormatter(value).format(pattern))
        } catch {
            throw call.failed(error.description)
        }
    }

    private static func truncate(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        let unit = try call.string(2, "unit")
        guard let value = try value(of: call).truncated(to: unit) else {
            throw call.failed("unknown unit \"\(unit)\", expected year, month, week, day, hour, minute or second")
        }
        return call.push(value)
    }

    /// The same instant with another offset; a timestamp becomes a timestamptz there.
    private static func shift(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        var value = try value(of: call)
        let zone = try call.string(2, "offset")
        guard value.kind == .timestamp || value.kind == .timestamptz else {
            throw call.failed("only a timestamp can be shown at an offset, not a \(value.kind.name)")
        }
        guard let sample = try? TimeValue(text: "2000-01-01 00:00:00\(zone)"), sample.kind == .timestamptz else {
            throw call.failed("offset must be like \"Z\" or \"+02:00\", got \"\(zone)\"")
        }
        if value.kind == .timestamp, value.isFinite { value.microseconds -= Int64(sample.offset) * 1_000_000 }
        value.kind = .timestamptz
        value.offset = sample.offset
        return call.push(value)
    }

    private static func day(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        let value = try value(of: call)
        guard value.kind != .interval, value.kind != .time else {
            throw call.failed("a \(value.kind.name) has no date")
        }
        guard value.isFinite else { return call.push(TimeValue.infinite(.date, isPositive: value.infinity > 0)) }
        return call.push(TimeValue(.date, microseconds: Int64(value.localDays) * TimeValue.microsecondsPerDay))
    }
}
