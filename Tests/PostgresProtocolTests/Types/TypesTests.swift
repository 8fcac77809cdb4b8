import PostgresProtocol
import Testing

@Suite struct LSNTests {
    @Test(arguments: [("0/0", 0), ("16/B374D848", 0x16_B374_D848), ("FFFFFFFF/FFFFFFFF", UInt64.max), ("1/0", 1 << 32)])
    func readsAndPrintsLikePgLSN(text: String, value: UInt64) {
        #expect(LSN(text)?.rawValue == value)
        #expect(LSN(value).description == text)
    }

    @Test(arguments: ["", "/", "1/", "/1", "1", "1/1/1", "G/0", "123456789/0", "1/123456789", " 1/1", "-1/1"])
    func rejectsWhatIsNoPosition(text: String) {
        #expect(LSN(text) == nil)
    }

    @Test func measuresDistanceInBothDirections() {
        #expect(LSN(10).distance(from: LSN(3)) == 7)
        #expect(LSN(3).distance(from: LSN(10)) == -7)
        #expect(LSN(.max).distance(from: .zero) == .max)
        #expect(LSN.zero.distance(from: LSN(.max)) == .min)
    }
}

@Suite struct SQLStateTests {
    @Test func keepsCodeAndClass() {
        #expect(SQLState("57P01") == .adminShutdown)
        #expect(SQLState("08P01")?.classCode == "08")
        #expect(SQLState.deadlockDetected.code == "40P01")
    }

    @Test(arguments: ["", "0800", "080001", "08 00", "57p01", "08é0"])
    func rejectsWhatIsNoCode(code: String) {
        #expect(SQLState(code) == nil)
    }

    @Test func knowsWhenTheConnectionIsInDoubt() {
        for code in ["57P01", "57P02", "57P03", "57P05", "08006", "08000", "08P01", "25P03"] {
            #expect(SQLState(code)?.isConnectionDoubtful == true, "\(code)")
        }
        for code in ["40001", "42601", "57014", "25006"] {
            #expect(SQLState(code)?.isConnectionDoubtful == false, "\(code)")
        }
    }

    @Test func onlyLostRacesAreRetryable() {
        #expect(SQLState.serializationFailure.isRetryable)
        #expect(SQLState.deadlockDetected.isRetryable)
        #expect(!SQLState.uniqueViolation.isRetryable)
    }
}

@Suite struct ValueKindTests {
    @Test func arraysAndElementsFindEachOther() {
        #expect(OID.int4.array == .int4Array)
        #expect(OID.int4Array.element == .int4)
        #expect(OID.int4.element == nil)
        #expect(OID(1007).element == .int4)
        #expect(OID.jsonb.array?.element == .jsonb)
    }

    @Test func kindsFollowTheType() {
        #expect(ValueKind(.varchar) == .text)
        #expect(ValueKind(.timestamptz) == .timestamptz)
        #expect(ValueKind(.numericArray) == .array(of: .numeric))
        #expect(ValueKind(OID(16384)) == .other)
    }

    @Test func onlyKnownBuiltInTypesArePortable() {
        for type: OID in [.bool, .text, .jsonb, .numeric, .inet, .int4Array, .uuidArray] {
            #expect(type.hasPortableBinary, "\(type)")
        }
        for type: OID in [.money, .point, .tsvector, .regclass, .int4range, .pointArray, .int2vector, OID(16384)] {
            #expect(!type.hasPortableBinary, "\(type)")
        }
    }
}
