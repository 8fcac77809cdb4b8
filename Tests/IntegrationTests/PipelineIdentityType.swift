import PostgresProtocol

/// A type of columns, with values worth copying.
struct IdentityType: Sendable {
    let name: String
    /// Texts of values; the first two are different ones in every sense.
    let values: [String]
    /// SQL over `i`, the row's number, for values beside these.
    let expression: String?

    init(_ name: String, _ values: [String], _ expression: String? = nil) {
        self.name = name
        self.values = values
        self.expression = expression
    }

    /// SQL over `i`: one of the values, another one, or NULL, by chance.
    func sql(_ seed: Int) -> String {
        let chance = "(hashint8extended(i, \(seed)) & 1073741823)"
        let texts = values.map(SQLText.quoteLiteral).joined(separator: ", ")
        let pick = "((ARRAY[\(texts)]::text[])[1 + \(chance) % \(values.count)])::\(name)"
        let other = expression.map { "WHEN \(chance) % 3 = 1 THEN (\($0))::\(name)" } ?? ""
        return "CASE WHEN \(chance) % 7 = 6 THEN NULL \(other) ELSE \(pick) END"
    }

    func array() -> IdentityType {
        let quoted = values.prefix(6).map { value in
            "\"" + value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        }
        let separator = name == "box" ? ";" : ","
        let (first, second) = (quoted[0], quoted[1])
        func list(_ items: [String]) -> String { "{" + items.joined(separator: separator) + "}" }
        return IdentityType(
            "\(name)[]",
            [
                list(quoted), list([second]), "{}", list(["NULL"]), list(["NULL", first, "NULL"]),
                list([list([first, "NULL"]), list([second, first])]),
                "[0:1]=" + list([first, second]), "[-3:-2][5:5]=" + list([list([first]), list(["NULL"])]),
                list([list([list([first, second])])]),
            ])
    }
}

extension IdentityType {
    static let texts = [
        "", "a", "NULL", "\\N", "\\.", "\\", "tab\there", "line\nfeed", "carriage\rreturn", "\r\n",
        "'single' \"double\"",
        "ž", "日本語", "😀", "e\u{301}", "\u{FEFF}bom", "{}", "{a,b}", " blanks  ", "\u{1}\u{7F}", "\u{10FFFF}", "null",
        "\\x41",
    ]

    /// Built in, without arrays.
    static let scalars: [IdentityType] = [
        IdentityType("bool", ["t", "f"]),
        IdentityType("int2", ["1", "-32768", "32767", "0"]),
        IdentityType("int4", ["1", "-2147483648", "2147483647", "0"], "hashint8(i)"),
        IdentityType(
            "int8", ["1", "-9223372036854775808", "9223372036854775807", "0", "9007199254740993"],
            "hashint8extended(i, 5)"),
        IdentityType("oid", ["1", "4294967295", "0", "2147483648"]),
        IdentityType(
            "float4", ["1.5", "NaN", "Infinity", "-Infinity", "-0", "0", "1e-45", "3.4028235e+38", "0.1", "16777217"],
            "sin(i)"),
        IdentityType(
            "float8",
            [
                "1.5", "NaN", "Infinity", "-Infinity", "-0", "0", "5e-324", "2.2250738585072011e-308",
                "1.7976931348623157e+308", "0.1", "9007199254740993", "1e15", "123456789012345680",
            ], "exp(sin(i) * 300)"),
        IdentityType(
            "numeric",
            [
                "1.5", "NaN", "Infinity", "-Infinity", "0", "0.000", "1.500", "-0.0000000001", "1e100", "1e-100",
                String(repeating: "1234567890", count: 100), "-0." + String(repeating: "9876543210", count: 100),
                "10000",
                "99999999.99990000",
            ], "i / 7.0 * (10 ^ (i % 40 - 20))::numeric"),
        IdentityType("numeric(12,3)", ["1.5", "NaN", "-999999999.999", "0"], "i / 7.0"),
        IdentityType("numeric(5,-2)", ["100", "-999900", "NaN", "0"]),
        IdentityType("numeric(5,8)", ["0.00012345", "-0.00099999"]),
        IdentityType("money", ["1.50", "-92233720368547758.08", "92233720368547758.07", "0"], "i::int4"),
        IdentityType("text", texts, "md5(i::text) || repeat('ž', (i % 50)::int4)"),
        IdentityType("varchar(30)", texts, "md5(i::text)"),
        IdentityType("varchar", texts),
        IdentityType("char(9)", texts),
        IdentityType("\"char\"", ["x", "", "\\", "\t", "\n", "~"]),
        IdentityType("name", texts),
        IdentityType("bytea", ["\\x00ff0a5c09", "\\x", "\\x5c", "\\xdeadbeef"], "decode(md5(i::text), 'hex')"),
        IdentityType(
            "date", ["2024-02-29", "infinity", "-infinity", "0044-03-15 BC", "4714-11-24 BC", "5874897-12-31"],
            "date '1900-01-01' + i::int4 * 13"),
        IdentityType("time", ["10:00", "00:00", "24:00:00", "23:59:59.999999"]),
        IdentityType("time(2)", ["10:00:00.12", "24:00:00"]),
        IdentityType("timetz", ["10:00+00", "24:00:00-15:59", "10:00:00.5+05:30", "10:00:00-03:30:15"]),
        IdentityType(
            "timestamp",
            [
                "2024-05-01 10:00:00.5", "infinity", "-infinity", "4714-11-24 00:00:00 BC",
                "294276-12-31 23:59:59.999999", "0001-12-31 23:00:00.1 BC", "2000-01-01",
            ], "timestamp '1900-01-01' + i * interval '77777.777777 s'"),
        IdentityType(
            "timestamptz",
            [
                "2024-05-01 10:00:00.5+00", "infinity", "-infinity", "4714-11-24 00:00:00+00 BC",
                "294276-12-31 23:59:59.999999+00", "2024-05-01 10:00+05:30",
            ], "timestamptz '1900-01-01' + i * interval '77777.777777 s'"),
        IdentityType("timestamptz(3)", ["2024-05-01 10:00:00.123+00", "infinity"]),
        IdentityType(
            "interval",
            [
                "1 year 2 mons 3 days 04:05:06.5", "0", "-1 year 1 day", "1 mon -1 day", "-1 day 00:00:01",
                "1 day -00:00:00.000001", "2562047788:00:54.775807", "-178000000 years", "24:00:00", "30 days", "1 mon",
            ], "i * interval '1 day 7.7 s'"),
        IdentityType("interval day to second(2)", ["1 day 04:05:06.51", "0"]),
        IdentityType(
            "uuid", ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00000000-0000-0000-0000-000000000000"], "md5(i::text)"),
        IdentityType("inet", ["10.1.2.3", "10.1.2.3/8", "0.0.0.0/0", "::", "::1", "::ffff:1.2.3.4", "fe80::1/10"]),
        IdentityType("cidr", ["10.0.0.0/8", "1.2.3.4/32", "::/0", "::1/128"]),
        IdentityType("macaddr", ["08:00:2b:01:02:03", "00:00:00:00:00:00"]),
        IdentityType("macaddr8", ["08:00:2b:ff:fe:01:02:03", "00:00:00:00:00:00:00:00"]),
        IdentityType("bit(1)", ["1", "0"]),
        IdentityType("bit(11)", ["10101010101", "00000000000"]),
        IdentityType("varbit", ["1", "", "0101", "101010101"]),
        IdentityType("varbit(70)", ["1", "", String(repeating: "10", count: 35)]),
        IdentityType("json", ["{\"a\": 1,  \"a\" :2}", "null", "[]", " [1, 2] ", "\"\\u00e9\\n\"", "1e400", "{}"]),
        IdentityType(
            "jsonb", ["{\"a\": [1, null, \"x\"]}", "null", "[]", "\"\\\\N\\t\"", "1e400", "{}", "1.10", "\"ž😀\""],
            "jsonb_build_object('i', i, 't', repeat('x', (i % 90)::int4))"),
        IdentityType("jsonpath", ["$.a", "strict $.\"b c\"[*] ? (@ > 1)"]),
        IdentityType(
            "xml", ["<a/>", "", "a &amp; b", "<?xml version=\"1.1\"?><a/>", "<a>ž\n</a>", "<!DOCTYPE a><a b=\"1\"/>"]),
        IdentityType("point", ["(1,2)", "(NaN,-0)", "(Infinity,1e-300)"]),
        IdentityType("line", ["{1,2,3}", "{0,-1,0.1}"]),
        IdentityType("lseg", ["[(1,2),(3,4)]", "[(0,0),(0,0)]"]),
        IdentityType("box", ["(3,4),(1,2)", "(0,0),(0,0)"]),
        IdentityType("path", ["[(1,2),(3,4)]", "((1,2),(3,4))"]),
        IdentityType("polygon", ["((1,2),(3,4))", "((0,0))"]),
        IdentityType("circle", ["<(1,2),3>", "<(0,0),0>"]),
        IdentityType("tsvector", ["'a':1A,3 'b c':2", "", "'\\\\' 'q''q'"]),
        IdentityType("tsquery", ["'a' & !( 'b' | 'c':*AB )", "'a' <2> 'b'", ""]),
        IdentityType("pg_lsn", ["16/B374D848", "0/0", "FFFFFFFF/FFFFFFFF"]),
        IdentityType("int4range", ["[1,5)", "empty", "(,)", "[1,)", "(,7)"]),
        IdentityType("int8range", ["[1,5)", "empty", "[-9223372036854775808,9223372036854775807)"]),
        IdentityType("numrange", ["[1.50,2]", "empty", "(1,NaN)", "(-Infinity,)"]),
        IdentityType("tsrange", ["[\"2024-01-01 10:00:00\",infinity)", "empty"]),
        IdentityType("tstzrange", ["[\"2024-01-01 10:00:00+00\",infinity]", "empty"]),
        IdentityType("daterange", ["[2024-01-01,infinity)", "empty", "[\"0044-03-15 BC\",2000-01-01)"]),
        IdentityType("int4multirange", ["{[1,5),[7,9)}", "{}"]),
        IdentityType("nummultirange", ["{[1.0,5),[7,9]}", "{}", "{(,)}"]),
        IdentityType("tstzmultirange", ["{[\"2024-01-01 10:00:00+00\",infinity]}", "{}"]),
        IdentityType("datemultirange", ["{[2024-01-01,2024-02-01)}", "{}"]),
        IdentityType("xid", ["1", "4294967295"]),
        IdentityType("xid8", ["1", "18446744073709551615"]),
        IdentityType("cid", ["1", "4294967295"]),
        IdentityType("tid", ["(1,2)", "(4294967295,65535)"]),
        IdentityType("pg_snapshot", ["10:20:10,14,15", "1:1:"]),
        IdentityType("txid_snapshot", ["10:20:10,14,15", "1:1:"]),
        IdentityType("regclass", ["pg_class", "pg_type"]),
        IdentityType("regtype", ["int4", "timestamp with time zone", "text[]"]),
        IdentityType("regprocedure", ["now()", "lower(text)"]),
        IdentityType("int2vector", ["1 2 3", ""]),
        IdentityType("oidvector", ["1 2 4294967295", ""]),
        IdentityType("aclitem", ["=r/pg_monitor", "pg_monitor=arwdDxt/pg_monitor"]),
    ]

    /// Of the database itself: see `IdentitySource.types`.
    static let own: [IdentityType] = [
        IdentityType("\"Odd Schema\".\"mood.y\"", ["sad", "so 'so'", "héppy", "a,b \"{c}\\"]),
        IdentityType("\"Odd Schema\".pair", ["(1,\"a b\")", "(,)", "(7,\"\")", "(1,\"\"\"q\"\" \\\\N \t\")"]),
        IdentityType(
            "nested",
            ["(\"(1,\"\"a b\"\")\",\"{1,NULL,3}\",sad)", "(,,)", "(\"(,)\",\"[0:1]={1,2}\",\"héppy\")"]),
        IdentityType("positive", ["1", "77", "2147483647"]),
        IdentityType("\"very positive\"", ["101", "2147483647"]),
        IdentityType("short", ["a", "", "\\N", "ž"]),
        IdentityType("amount", ["1.50", "-0.01", "NaN"]),
        IdentityType("vector", ["{1,2}", "{}", "{NULL}", "[5:6]={1,NULL}"]),
        IdentityType("stamped", ["2024-01-01 10:00:00+00", "infinity"]),
        IdentityType("pairs", ["(1,x)", "(2,)"]),
        IdentityType("floatrange", ["[1.5,2.5)", "empty", "[-Infinity,NaN]"]),
        IdentityType("floatmultirange", ["{[1.5,2.5)}", "{}"]),
        IdentityType("citext", texts),
        IdentityType("hstore", ["\"a\"=>\"1\"", "", "\"\"=>NULL, \"q\\\"q\"=>\"\\\\N\t\n\""]),
    ]
    static let all = scalars + own
    static let arrays = all.filter { !["int2vector", "oidvector"].contains($0.name) }.map { $0.array() }
}
