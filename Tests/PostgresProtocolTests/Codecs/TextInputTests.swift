import PostgresProtocol
import Testing

/// What people write, beyond what the server prints.
@Suite struct TextInputTests {
    /// The value's normal text form, by way of binary.
    private func normal(_ text: String, _ type: OID) throws -> String {
        var binary = ByteBuffer()
        try withText(text) { try FieldEncoder.append(text: $0, as: ValueKind(type), .binary, to: &binary) }
        var buffer = ByteBuffer()
        try FieldDecoder.appendText(binary.bytes, ValueKind(type), .binary, to: &buffer)
        return buffer.string
    }

    @Test(arguments: [
        ("2024-05-01 12:00:00.5+02", "2024-05-01 10:00:00.5+00"),
        ("2024-05-01T10:00:00Z", "2024-05-01 10:00:00+00"),
        ("2024-05-01 10:00 UTC", "2024-05-01 10:00:00+00"),
        ("2024-05-01 10:00:00", "2024-05-01 10:00:00+00"),
        ("2024-05-01", "2024-05-01 00:00:00+00"),
        ("20240501T101530.25-0330", "2024-05-01 13:45:30.25+00"),
        ("2024-05-01 00:30:00+05:30:15", "2024-04-30 18:59:45+00"),
        ("0044-03-15 10:00:00+01 BC", "0044-03-15 09:00:00+00 BC"),
        ("0001-01-01 00:30:00+01", "0001-12-31 23:30:00+00 BC"),
        (" 2024-05-01 23:59:59.9999999 ", "2024-05-02 00:00:00+00"),
        ("epoch", "1970-01-01 00:00:00+00"),
        ("Infinity", "infinity"),
    ])
    func timestampsTakeAnyOffset(text: String, expected: String) throws {
        #expect(try normal(text, .timestamptz) == expected)

        var buffer = ByteBuffer()
        try withText(text) { try FieldDecoder.appendText($0, .timestamptz, .text, to: &buffer) }
        #expect(["Infinity", "infinity"].contains(buffer.string) || buffer.string == expected)
    }

    @Test(arguments: [
        "", "now", "2024", "2024-13-01", "2024-02-30", "2023-02-29", "2024-05-01 25:00", "2024-05-01 10:60",
        "2024-05-01 24:00:01", "2024-05-01 10:00 Europe/Berlin", "2024-05-01 10:00+16", "2024-05-01x", "24-05-01",
        "0000-01-01", "2024-05-01 10:00:00+", "May 1 2024", "2024-05-01 10:00 BC BC",
    ])
    func whatIsNoTimestampIsRejected(text: String) {
        #expect(throws: CodecError.self) { try normal(text, .timestamptz) }
    }

    @Test func timestampsEndWhereTheServersEnd() {
        #expect(
            throws: CodecError.outOfRange(
                .timestamp, lowest: "4714-11-24 00:00:00 BC", highest: "294276-12-31 23:59:59.999999")
        ) { try normal("294277-01-01", .timestamp) }
        #expect(throws: CodecError.self) { try normal("4714-11-23 BC", .timestamp) }
        #expect(throws: CodecError.self) { try normal("5874898-01-01", .date) }
    }

    @Test func typesWithoutZoneIgnoreTheOffset() throws {
        #expect(try normal("2024-05-01 10:00:00+02", .timestamp) == "2024-05-01 10:00:00")
        #expect(try normal("2024-05-01 10:00:00", .date) == "2024-05-01")
        #expect(try normal("10:00+05", .time) == "10:00:00")
    }

    @Test(arguments: [
        ("1e5", "100000"), ("1.50e1", "15.0"), ("-.5", "-0.5"), ("+00012.", "12"), ("1.5E-3", "0.0015"), ("-0", "0"),
        ("0e10", "0"), ("inf", "Infinity"), (" 7 ", "7"),
    ])
    func numericsAreExact(text: String, expected: String) throws {
        #expect(try normal(text, .numeric) == expected)
    }

    @Test(arguments: ["", ".", "e5", "1e", "1.2.3", "abc", "0x1", "1_000", "1e200000", "1e-20000"])
    func whatIsNoNumericIsRejected(text: String) {
        #expect(throws: CodecError.self) { try normal(text, .numeric) }
    }

    @Test(arguments: [
        ("3 weeks", "21 days"), ("2 hours 5 min", "02:05:00"), ("@ 1 day 2 hours ago", "-1 days -02:00:00"),
        ("1y 100 ms", "1 year 00:00:00.1"), ("-04:05:06.7890125", "-04:05:06.789012"),
    ])
    func intervalsTakeTheUsualUnits(text: String, expected: String) throws {
        #expect(try normal(text, .interval) == expected)
    }

    @Test(arguments: ["", "1", "1.5 days", "P1Y", "1 decade", "ago", "1 day ago 2 hours", "999999999999 years"])
    func intervalsThatNeedTheServerAreErrors(text: String) {
        #expect(throws: CodecError.self) { try normal(text, .interval) }
    }

    @Test func oddlyWrittenIdentifiersAndAddressesAreRead() throws {
        let uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
        #expect(try normal("{A0EEBC999C0B4EF8BB6D6BB9BD380A11}", .uuid) == uuid)
        #expect(try normal("a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11", .uuid) == uuid)
        #expect(try normal("FE80::ABCD", .inet) == "fe80::abcd")
        #expect(try normal("1:2:3:4:5:6:1.2.3.4", .inet) == "1:2:3:4:5:6:102:304")
        #expect(try normal("0800.2b01.0203", .macaddr) == "08:00:2b:01:02:03")
        #expect(try normal("08:00:2b:01:02:03", .macaddr8) == "08:00:2b:ff:fe:01:02:03")
        #expect(try normal("x1F", .varbit) == "00011111")
    }

    @Test(arguments: [
        (OID.inet, "1.2.3"), (.inet, "1.2.3.256"), (.inet, "1.2.3.4/33"), (.inet, ":::"), (.inet, "1:2:3:4:5:6:7:8::"),
        (.inet, "1::2::3"), (.inet, "12345::"), (.cidr, "10.0.0.1/8"), (.uuid, "a0eebc99"), (.uuid, ""),
        (.macaddr, "08:00:2b:01:02"), (.varbit, "012"), (.pgLSN, "1"), (.bytea, "\\xabc"), (.bytea, "\\400"),
    ])
    func malformedValuesAreRejectedAndLeaveNoBytes(type: OID, text: String) {
        #expect(throws: CodecError.self) { try normal(text, type) }
    }

    @Test func byteaReadsBothForms() throws {
        var buffer = ByteBuffer()
        try withText("abc\\\\\\000\\377") { try FieldDecoder.appendBytes($0, .text, to: &buffer) }
        #expect(array(buffer) == hex("616263 5c 00 ff"))

        buffer.removeAll()
        try withText("\\000a") { try FieldDecoder.appendText($0, .bytea, .text, to: &buffer) }
        #expect(buffer.string == "\\x0061")
    }
}
