/// What the client tells the server about its progress ("Standby status update"). All positions are one byte behind
/// the last one that counts.
package struct StandbyStatus: Equatable, Sendable {
    /// Received.
    package var written: LSN
    /// Safe: the server may forget the log up to here, and the next start of the slot goes on from here.
    package var flushed: LSN
    package var applied: LSN
    /// The client's clock, in microseconds since 2000-01-01 UTC.
    package var clientTime: Int64
    /// The server is to answer with a keepalive at once.
    package var requestsReply: Bool

    package init(written: LSN, flushed: LSN, applied: LSN, clientTime: Int64, requestsReply: Bool = false) {
        self.written = written
        self.flushed = flushed
        self.applied = applied
        self.clientTime = clientTime
        self.requestsReply = requestsReply
    }

    /// To be sent instead of `earlier` and this one: asks for a reply if either does.
    package func replacing(_ earlier: StandbyStatus?) -> StandbyStatus {
        var status = self
        status.requestsReply = requestsReply || earlier?.requestsReply == true
        return status
    }

    /// Appends the content of its CopyData message: 34 bytes.
    package func append(to buffer: inout ByteBuffer) {
        buffer.append(UInt8(ascii: "r"))
        for position in [written, flushed, applied] { buffer.append(bigEndian: position.rawValue) }
        buffer.append(bigEndian: clientTime)
        buffer.append(requestsReply ? 1 : 0)
    }
}
