/// What a NOTIFY delivered.
package struct Notification: Sendable, Equatable {
    package var channel: String
    package var payload: String
    /// Of the backend that sent it; compare with `Connection.pid` for one's own.
    package var pid: Int32
}
