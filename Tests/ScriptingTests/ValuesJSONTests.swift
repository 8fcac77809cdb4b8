import CLua
import TestSupport
import Testing

@testable import Scripting

@Suite struct ValuesJSONTests {
    private let lua: ValuesLuaState

    init() throws {
        lua = try #require(ValuesLuaState())
    }

    @Test(arguments: [
        "null", "true", "false", "0", "-1", "9223372036854775807", "-9223372036854775808", "0.1", "-2.5", "1e+22",
        "1.7976931348623157e+308", "5e-324", "2.2250738585072014e-308", "\"\"", "\"ä€😀\"", "[]", "{}", "[[],{}]",
        "[1,2,[3,null]]", "{\"a\":[],\"b\":{\"c\":[{}]}}", "9223372036854775808", "-9223372036854775809",
        "18446744073709551616", "3.141592653589793238", "0.10000000000000001", "123456789012345678901234567890.125",
        "9007199254740993.5",
    ])
    func keepsEveryValueExactly(text: String) throws {
        #expect(try lua.roundTrip(text) == text)
    }

    @Test(arguments: [
        ("-0", "0"), ("-0.0", "-0.0"), ("1.0", "1.0"), ("1E2", "100.0"), ("1.10", "1.1"), ("0.10e1", "1.0"),
        ("1e-2", "0.01"),
        ("123456789.123456789e-5", "1234.56789123456789"), ("1e400", "1" + String(repeating: "0", count: 400)),
        (" [ 1 , 2 ] ", "[1,2]"), ("\"\\u0041\\/\\ud83d\\ude00\\n\\u0000\"", "\"A/😀\\n\\u0000\""),
        ("{\"b\":1,\"a\":2,\"b\":3}", "{\"a\":2,\"b\":3}"), ("0e9999999999", "0.0"),
    ])
    func readsAndWritesTheCanonicalForm(text: String, expected: String) throws {
        #expect(try lua.roundTrip(text) == expected)
    }

    @Test func readsTheNearestDouble() throws {
        var generator = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: 0...UInt64.max, using: &generator)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<5_000 {
            let value = Double(bitPattern: random.next() & 0x7FEF_FFFF_FFFF_FFFF)
            try lua.decode(value.description)
            #expect(lua_tonumberx(lua.pointer, -1, nil) == value, "seed \(seed)")
            let digits = String(random.next() % 10_000_000_000_000_000_000)
            let text = "0." + digits
            try lua.decode(text)
            let read = lua_tonumberx(lua.pointer, -1, nil)
            if lua_type(lua.pointer, -1) == LUA_TNUMBER { #expect(read == Double(text), "\(text), seed \(seed)") }
            lua_settop(lua.pointer, 0)
        }
    }

    @Test(arguments: [
        ("", JSONSyntaxError.Reason.empty, 0), ("  ", .empty, 2), ("nul", .expectedValue, 0),
        ("[1,]", .expectedValue, 3),
        ("[1 2]", .expectedCommaOrEnd(of: "]"), 3), ("{\"a\" 1}", .expectedColon, 5), ("{a:1}", .expectedKey, 1),
        ("{\"a\":1,}", .expectedKey, 7), ("01", .badNumber, 1), ("1.", .badNumber, 2), ("-", .badNumber, 1),
        ("1e", .badNumber, 2), (".5", .expectedValue, 0), ("+1", .expectedValue, 0), ("\"abc", .unfinishedString, 4),
        ("\"a\tb\"", .controlCharacter(9), 2), ("\"\\x\"", .badEscape, 1), ("\"\\ud800\"", .loneSurrogate, 1),
        ("\"\\udc00\"", .loneSurrogate, 1), ("\"\\ud800\\u0041\"", .loneSurrogate, 1), ("1 1", .trailingText, 2),
        ("\"\u{0}\"", .controlCharacter(0), 1), ("1e999999", .numberOutOfRange, 8), ("NaN", .expectedValue, 0),
        ("[1", .expectedCommaOrEnd(of: "]"), 2), ("{\"a\":", .expectedValue, 5), ("\"\\", .unfinishedString, 1),
        ("\"\\u12", .badEscape, 1), ("/**/1", .expectedValue, 0), ("'a'", .expectedValue, 0),
    ])
    func refusesWhatIsNotJSON(text: String, reason: JSONSyntaxError.Reason, offset: Int) throws {
        let error = #expect(throws: JSONSyntaxError.self) { try lua.decode(text) }

        #expect(error?.reason == reason)
        #expect(error?.offset == offset)
    }

    @Test(
        arguments: [[0xFF], [0xC0, 0x80], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x80]]
            as [[UInt8]])
    func refusesInvalidUTF8(bytes: [UInt8]) throws {
        for padding in [0, 7, 9] {
            let text = [0x22] + [UInt8](repeating: 0x61, count: padding) + bytes + [0x22]
            let error = #expect(throws: JSONSyntaxError.self) { try lua.decode(text) }

            #expect(error?.reason == .invalidUTF8)
        }
    }

    @Test func tellsLineAndColumn() throws {
        let error = #expect(throws: JSONSyntaxError.self) { try lua.decode("{\n  \"a\": tru\n}") }

        #expect(error?.line == 2)
        #expect(error?.column == 8)
        #expect(error?.description == "expected a value at line 2, column 8 (byte 10)")
    }

    @Test func refusesWhatIsNestedTooDeep() throws {
        let sound = String(repeating: "[", count: 512) + String(repeating: "]", count: 512)
        #expect(try lua.roundTrip(sound) == sound)
        let error = #expect(throws: JSONSyntaxError.self) { try lua.decode(String(repeating: "[", count: 513)) }

        #expect(error?.reason == .tooDeep)
    }

    @Test func everyTruncationIsAnError() throws {
        let text = "{\"key\":[1.5e3,true,null,\"a\\u00e4\\n\u{e4}\",{\"x\":-12}]}"
        let bytes = Array(text.utf8)
        for count in 0..<bytes.count {
            #expect(throws: JSONSyntaxError.self) { try lua.decode(Array(bytes.prefix(count))) }
        }
    }

    @Test func sortsKeysAndIndents() throws {
        let text = "{\"b\":{},\"a\":[1,{\"y\":1,\"x\":[]}],\"B\":\"\\t\"}"

        #expect(try lua.roundTrip(text) == "{\"B\":\"\\t\",\"a\":[1,{\"x\":[],\"y\":1}],\"b\":{}}")
        let expected = """
            {
              "B": "\\t",
              "a": [
                1,
                {
                  "x": [],
                  "y": 1
                }
              ],
              "b": {}
            }
            """
        #expect(try lua.roundTrip(text, .init(indent: 2)) == expected)
    }

    @Test(arguments: [
        ("return {1, 2, nil, 4}", "array has a hole after index 2 (rh.null stands for a missing value) at value"),
        ("return {1, x = 2}", "table is neither array nor object: it also has the key x at value"),
        ("return {a = {b = {print}}}", "JSON cannot hold a function at value.a.b[1]"),
        ("return {[\"a b\"] = 0/0}", "JSON cannot hold NaN at value[\"a b\"]"),
        ("return 1/0", "JSON cannot hold infinity at value"),
        ("local t = {} t.t = {t} return t", "table contains itself at value.t[1]"),
        ("return {[true] = 1}", "JSON cannot hold a key of type boolean at value"),
        ("return {a = \"\\xff\"}", "string is not valid UTF-8 at value.a"),
        ("return {[2] = 1}", "table is neither array nor object: it also has the key 2 at value"),
    ])
    func refusesWhatJSONCannotHold(source: String, message: String) throws {
        luaL_openlibs(lua.pointer)
        try #require(luaL_loadstring(lua.pointer, source) == LUA_OK)
        try #require(lua_pcallk(lua.pointer, 0, 1, 0, 0, nil) == LUA_OK)
        let error = #expect(throws: JSONEncodingError.self) { try lua.encode() }

        #expect(error?.description == message)
    }

    @Test(arguments: [
        ("return {1, 2, 3}", "[1,2,3]"), ("return {}", "{}"), ("return {a = 1.5, b = 'x'}", "{\"a\":1.5,\"b\":\"x\"}"),
        ("return {1, 2, n = 3}", "[1,2,null]"), ("return {n = 3}", "{\"n\":3}"), ("return nil", "null"),
        ("return 2^53", "9007199254740992.0"), ("return math.mininteger", "-9223372036854775808"),
    ])
    func writesPlainTables(source: String, expected: String) throws {
        try #require(luaL_loadstring(lua.pointer, source) == LUA_OK || true)
        luaL_openlibs(lua.pointer)
        try #require(lua_pcallk(lua.pointer, 0, 1, 0, 0, nil) == LUA_OK)

        #expect(try lua.encode() == expected)
    }
}
