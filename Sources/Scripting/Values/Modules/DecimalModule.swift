import CLua

/// `rh.decimal` and the operators and methods of decimals.
enum DecimalModule {
    static let functions: [(String, ValueFunction)] = [("rh.decimal", make)]

    static let metamethods: [(String, ValueFunction)] = [
        (
            "__add",
            { call throws(ValueError) in try operate(call, "add") { (a, b) throws(DecimalError) in try a.adding(b) } }
        ),
        (
            "__sub",
            { call throws(ValueError) in
                try operate(call, "subtract") { (a, b) throws(DecimalError) in try a.subtracting(b) }
            }
        ),
        (
            "__mul",
            { call throws(ValueError) in
                try operate(call, "multiply") { (a, b) throws(DecimalError) in try a.multiplied(by: b) }
            }
        ),
        (
            "__div",
            { call throws(ValueError) in
                try operate(call, "divide") { (a, b) throws(DecimalError) in try a.divided(by: b) }
            }
        ),
        (
            "__idiv",
            { call throws(ValueError) in
                try operate(call, "divide") { (a, b) throws(DecimalError) in try a.floorDivided(by: b) }
            }
        ),
        (
            "__mod",
            { call throws(ValueError) in try operate(call, "divide") { (a, b) throws(DecimalError) in try a.modulo(b) }
            }
        ),
        ("__unm", { call throws(ValueError) in call.push(try operand(call, 1, "negate").negated) }),
        ("__eq", { call throws(ValueError) in equal(call) }),
        (
            "__lt",
            { call throws(ValueError) in call.push(try operand(call, 1, "compare") < operand(call, 2, "compare")) }
        ),
        (
            "__le",
            { call throws(ValueError) in call.push(try operand(call, 1, "compare") <= operand(call, 2, "compare")) }
        ),
        ("__tostring", { call throws(ValueError) in try receiver(call).withText { call.push($0) } }),
        ("__concat", concatenate),
    ]

    static let methods: [(String, ValueFunction)] = [
        ("tonumber", { call throws(ValueError) in call.push(try receiver(call).doubleValue) }),
        ("tointeger", integer),
        ("scale", { call throws(ValueError) in call.push(Int64(try receiver(call).scale)) }),
        ("sign", { call throws(ValueError) in call.push(Int64(try receiver(call).signum)) }),
        ("abs", { call throws(ValueError) in call.push(try receiver(call).magnitude) }),
        (
            "round",
            { call throws(ValueError) in
                try adjust(call) { (value, places) throws(DecimalError) in try value.rounded(to: places) }
            }
        ),
        (
            "trunc",
            { call throws(ValueError) in
                try adjust(call) { (value, places) throws(DecimalError) in try value.truncated(to: places) }
            }
        ),
        ("normalize", { call throws(ValueError) in call.push(try receiver(call).withoutTrailingZeros) }),
        ("isfinite", { call throws(ValueError) in call.push(try receiver(call).isFinite) }),
    ]

    private static func make(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        if let decimal = DecimalUserdata.read(at: 1, of: call.state) { return call.push(decimal) }
        if lua_isinteger(call.state, 1) != 0 { return call.push(Decimal(lua_tointegerx(call.state, 1, nil))) }
        if lua_type(call.state, 1) == LUA_TNUMBER {
            throw call.failed(
                "a float is not exact; write rh.decimal(\"\(lua_tonumberx(call.state, 1, nil))\") or round it with string.format"
            )
        }
        guard lua_type(call.state, 1) == LUA_TSTRING else {
            throw call.wrong(1, "value", "a string, an integer or a decimal")
        }
        let text = try call.bytes(1, "value")
        do throws(DecimalError) {
            return call.push(try Decimal(text: text))
        } catch {
            throw call.failed(error.description)
        }
    }

    private static func receiver(_ call: borrowing ValueCall) throws(ValueError) -> Decimal {
        guard let value = DecimalUserdata.read(at: 1, of: call.state) else { throw call.wrong(1, "self", "a decimal") }
        return value
    }

    /// A decimal, or an integer made one.
    private static func operand(_ call: borrowing ValueCall, _ index: CInt, _ verb: String) throws(ValueError)
        -> Decimal
    {
        if let value = DecimalUserdata.read(at: index, of: call.state) { return value }
        if lua_isinteger(call.state, index) != 0 { return Decimal(lua_tointegerx(call.state, index, nil)) }
        let other = call.described(index)
        let hint =
            lua_type(call.state, index) == LUA_TNUMBER ? "; convert one of them: d:tonumber() or rh.decimal(text)" : ""
        throw .operands("cannot \(verb) a decimal and \(other)\(hint)")
    }

    private static func operate(
        _ call: borrowing ValueCall, _ verb: String, _ body: (Decimal, Decimal) throws(DecimalError) -> Decimal
    ) throws(ValueError) -> CInt {
        let left = try operand(call, 1, verb)
        let right = try operand(call, 2, verb)
        do throws(DecimalError) {
            return call.push(try body(left, right))
        } catch {
            throw .operands(error.description)
        }
    }

    /// Lua asks only when both are userdata and not the same.
    private static func equal(_ call: borrowing ValueCall) -> CInt {
        guard let left = DecimalUserdata.read(at: 1, of: call.state),
            let right = DecimalUserdata.read(at: 2, of: call.state)
        else { return call.push(false) }
        return call.push(left == right)
    }

    private static func concatenate(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        var text: [UInt8] = []
        for index: CInt in 1...2 {
            if let value = DecimalUserdata.read(at: index, of: call.state) {
                value.withText { text.append(contentsOf: $0) }
            } else if lua_type(call.state, index) == LUA_TSTRING || lua_isinteger(call.state, index) != 0 {
                text.append(contentsOf: try call.textBytes(index, "operand"))
            } else {
                throw .operands("cannot concatenate a decimal and \(call.described(index))")
            }
        }
        return call.push(text)
    }

    private static func integer(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        guard let value = try receiver(call).exactInteger else { return call.pushNil() }
        return call.push(value)
    }

    private static func adjust(
        _ call: borrowing ValueCall, _ body: (Decimal, Int) throws(DecimalError) -> Decimal
    ) throws(ValueError) -> CInt {
        let value = try receiver(call)
        let places = call.isAbsent(2) ? 0 : try call.integer(2, "places")
        do throws(DecimalError) {
            return call.push(try body(value, Int(places)))
        } catch {
            throw call.failed(error.description)
        }
    }
}
