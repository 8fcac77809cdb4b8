import PostgresProtocol
import Testing

@Suite struct StreamFrameTests {
    @Test func dataCarriesItsPayload() throws {
        try withBytes(GoldenMessage.dataHeader + GoldenMessage.begin) { raw in
            guard case .data(let data) = try StreamFrame(decoding: raw) else { throw WrongKind() }

            #expect(data.start == LSN("0/16B3748"))
            #expect(data.serverEnd == LSN("0/16B3778"))
            #expect(data.serverTime == 0x2_A1B2_C3D4_E5F6)
            #expect(Array(data.payload) == GoldenMessage.begin)
        }
    }

    @Test func keepalivesMayAskForAReply() throws {
        try withBytes(GoldenMessage.keepalive) { raw in
            guard case .keepalive(let keepalive) = try StreamFrame(decoding: raw) else { throw WrongKind() }

            #expect(keepalive.serverEnd == LSN("0/16B3748"))
            #expect(keepalive.serverTime == 0x2_A1B2_C3D4_E5F6)
            #expect(keepalive.isReplyRequested)
        }
    }

    private func decode(_ bytes: [UInt8]) throws {
        try withBytes(bytes) { _ = try StreamFrame(decoding: $0) }
    }

    @Test func everyTruncationIsAnError() {
        for golden in [GoldenMessage.keepalive, GoldenMessage.dataHeader] {
            for length in golden.indices {
                #expect(throws: LogicalMessageError.self) { try decode(Array(golden[..<length])) }
            }
        }
    }

    @Test func otherMessagesAreErrors() {
        #expect(throws: LogicalMessageError.unknownFrame(type: 0x78)) { try decode(hex("78")) }
        #expect(throws: LogicalMessageError.excessBytes(message: "Primary keepalive", count: 1)) {
            try decode(GoldenMessage.keepalive + [0])
        }
    }

    @Test func statusIsWrittenAsTheManualSays() {
        let status = StandbyStatus(
            written: LSN(0x16B_3778), flushed: LSN(0x16B_3748), applied: LSN(0x16B_3740), clientTime: 5,
            requestsReply: true)
        var buffer = ByteBuffer()
        status.append(to: &buffer)

        #expect(
            array(buffer) == hex("72 00000000016b3778 00000000016b3748 00000000016b3740 0000000000000005 01"))
    }

    @Test func aReplacedStatusStillGetsItsReply() {
        let later = StandbyStatus(written: LSN(2), flushed: LSN(2), applied: LSN(2), clientTime: 2)
        var asking = later
        asking.requestsReply = true
        let earlier = StandbyStatus(
            written: LSN(1), flushed: LSN(1), applied: LSN(1), clientTime: 1, requestsReply: true)

        #expect(later.replacing(nil) == later)
        #expect(later.replacing(earlier) == asking)
    }
}
