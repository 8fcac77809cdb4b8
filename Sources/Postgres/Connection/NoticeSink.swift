import CLibpq

/// Receives libpq's notices, which would otherwise be printed to standard error.
final class NoticeSink {
    /// Gets NOTICE, WARNING and the like, on the thread that uses the connection.
    var handler: ((ServerError) -> Void)?
    /// What the server said when it ended an idle session: it comes as a notice, since no statement is running.
    private(set) var farewell: ServerError?

    /// The sink must live as long as `raw`.
    func attach(to raw: OpaquePointer) {
        PQsetNoticeReceiver(raw, receiveNotice, Unmanaged.passUnretained(self).toOpaque())
    }

    fileprivate func receive(_ result: OpaquePointer) {
        guard let notice = ServerError(result: result) else { return }
        if notice.endsSession { farewell = notice } else { handler?(notice) }
    }
}

private func receiveNotice(_ context: UnsafeMutableRawPointer?, _ result: OpaquePointer?) {
    guard let context, let result else { return }
    // Safe: the connection that owns the sink finishes libpq's handle before it lets go of the sink.
    Unmanaged<NoticeSink>.fromOpaque(context).takeUnretainedValue().receive(result)
}
