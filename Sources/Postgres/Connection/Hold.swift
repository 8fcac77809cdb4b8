/// A stream's hold on the connection that was opened for it: over when the connection serves something else.
struct Hold {
    let connection: Connection
    private let activity: Connection.Activity
    /// As error messages name the stream.
    private let name: String

    /// Of what `connection` was opened for last.
    init(on connection: Connection, for name: String) {
        self.connection = connection
        self.activity = connection.activity
        self.name = name
    }

    var isCurrent: Bool { connection.activity == activity }

    /// libpq's handle, while the hold lasts.
    func handle() throws(PostgresError) -> OpaquePointer {
        let raw = try connection.raw()
        guard isCurrent else { throw .unusable(reason: "the \(name) is no longer open") }
        return raw
    }

    /// Cancels what runs and drops what is on its way: the connection is free, or broken, afterwards.
    func giveUp() async {
        guard isCurrent else { return }
        await connection.settle(cancelling: true, until: .now + Connection.grace)
    }
}
