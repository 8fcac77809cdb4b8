/// A stream's hold on the connection that was opened for it: over when the connection serves something else.
struct Hold {
    let connection: Connection
    private let activity: Connection.Activity
    /// As error messages name the stream.
    private let name: String
    private let isInTransaction: Bool
    /// Made before what runs, if a transaction is open: what cancelling it spoils is undone.
    private let savepoint: String?

    /// Of what `connection` was opened for last.
    init(on connection: Connection, for name: String, savepoint: String? = nil) {
        self.connection = connection
        self.savepoint = savepoint
        isInTransaction = connection.beganInTransaction
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

    /// How long the rest of a result is read that cannot be cancelled.
    private static let patience: Duration = .seconds(30)

    /// Cancels what runs and drops what is on its way: the connection is free, or broken, afterwards. A transaction that
    /// was open goes on: without a savepoint, what is left is read instead of cancelled.
    func giveUp() async {
        guard isCurrent else { return }
        guard isInTransaction else { return await connection.settle(cancelling: true, until: .now + Connection.grace) }
        guard let savepoint else {
            return await connection.settle(cancelling: false, until: .now + Self.patience)
        }
        await connection.settle(cancelling: true, until: .now + Connection.grace)
        guard connection.transactionStatus == .inError else { return }
        // A failure leaves the transaction failed, which the next statement says.
        try? await connection.rollback(to: savepoint, until: .now + Connection.grace)
    }
}
